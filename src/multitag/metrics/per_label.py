"""A line for each label: how often it is there, how often it is predicted, and how well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from multitag.errors import DataError
from multitag.metrics.answers import Answers
from multitag.metrics.average_precision import average_precisions
from multitag.metrics.sums import Counts, divide


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's counts and scores, over the rows where it is known.

    Attributes:
        label: Its name.
        support: Rows that have it.
        predicted: Rows it is predicted for.
        true_positives: Rows that have it and it is predicted for.
        precision: true_positives / predicted, 1 where it is never predicted.
        recall: true_positives / support, 1 where no row has it.
        f1: 2 true_positives / (support + predicted), 1 where both are 0.
        average_precision: Of its ranking, free of any threshold; `None` without probabilities or without
            support.
    """

    label: str
    support: int
    predicted: int
    true_positives: int
    precision: float
    recall: float
    f1: float
    average_precision: float | None


def per_label(answers: Answers, names: Sequence[str]) -> list[LabelScore]:
    """The line of every label, in the order of `names`.

    Raises:
        DataError: There are more or fewer names than labels.
    """
    if len(names) != answers.gold.shape[1]:
        raise DataError(f"{len(names)} label names for {answers.gold.shape[1]} labels; give one name for each label.")
    counts = Counts.by_label(answers, None)
    positive, claimed, hits = counts.positive[0], counts.claimed[0], counts.hits[0]
    precision, recall = divide(hits, claimed), divide(hits, positive)
    f1 = divide(2 * hits, positive + claimed)
    ranked = np.full(len(names), np.nan) if answers.probabilities is None else average_precisions(answers)[0]
    return [
        LabelScore(
            label=name,
            support=int(positive[k]),
            predicted=int(claimed[k]),
            true_positives=int(hits[k]),
            precision=float(precision[k]),
            recall=float(recall[k]),
            f1=float(f1[k]),
            average_precision=None if np.isnan(ranked[k]) else float(ranked[k]),
        )
        for k, name in enumerate(names)
    ]

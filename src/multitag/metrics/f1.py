"""F1, the harmonic mean of precision and recall, averaged in four ways."""

from __future__ import annotations

import numpy as np

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores, metric
from multitag.metrics.sums import Counts, divide, mean_over_labels, weighted_mean
from multitag.types import FloatArray


@metric()
def samples_f1(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over rows of the F1 between predicted and gold label set, the course leaderboard's "mean F1".

    2 |Y ^ P| / (|Y| + |P|), 1 if both are empty. Only a row's known labels count; a row with none is left
    out.
    """
    sizes = answers.positive.sum(axis=1) + answers.claimed.sum(axis=1)
    return weighted_mean(divide(2 * answers.hits.sum(axis=1), sizes), answers.known_rows, weights)


@metric()
def micro_f1(answers: Answers, weights: FloatArray | None) -> Scores:
    """F1 over all label decisions together, so frequent labels decide.

    2 hits / (gold + predicted), 1 if both are 0. NaN where nothing is known.
    """
    counts = Counts.pooled(answers, weights)
    return mean_over_labels(_f1(counts), counts.known > 0)


@metric()
def macro_f1(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over labels of each label's F1, so every label weighs the same.

    The mean runs over the whole label list. A label that no row has and that is never predicted counts 1, as
    in SemEval-2021 task 6 (scikit-learn's ``zero_division=1``) and as an empty row does in samples F1;
    scikit-learn's own default is 0. Where every label occurs the two are equal. A label whose gold is nowhere
    known is left out.
    """
    counts = Counts.by_label(answers, weights)
    return mean_over_labels(_f1(counts), counts.known > 0)


@metric()
def weighted_f1(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over labels of each label's F1, weighted by how many rows have the label.

    Where no row has any label there is nothing to weigh by: then the plain mean, as in `macro_f1`.
    """
    counts = Counts.by_label(answers, weights)
    scores = _f1(counts)
    weighted = (scores * counts.positive).sum(axis=1)
    supports = counts.positive.sum(axis=1)
    plain = mean_over_labels(scores, counts.known > 0)
    return np.where(supports > 0, divide(weighted, supports), plain)


def _f1(counts: Counts) -> Scores:
    return divide(2 * counts.hits, counts.positive + counts.claimed)

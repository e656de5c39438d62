"""Precision against recall at every threshold, for each label and for all label decisions together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers
from multitag.types import BoolArray, FloatArray

POINTS = 200
"""The most points of a curve: more cannot be told apart on a screen."""


@dataclass(frozen=True)
class PrecisionRecall:
    """One curve, from the highest threshold to the lowest.

    Attributes:
        label: Whose; ``""`` for all label decisions pooled.
        support: Positives.
        thresholds: (P,), falling: taking all that reach the threshold gives the point.
        precision: (P,).
        recall: (P,), rising.
        average_precision: Sum of precision times the step in recall over all points, those left out too; `None`
            without positives.
    """

    label: str
    support: int
    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    average_precision: float | None


def precision_recall(answers: Answers, names: Sequence[str], *, points: int = POINTS) -> list[PrecisionRecall]:
    """The pooled curve, then that of each label; cells whose gold is not known are not there.

    Args:
        answers: Gold and probabilities (N, K).
        names: The K labels.
        points: The most points of each curve, spread evenly over recall; the first and the last are always there.
    """
    probabilities = np.asarray(answers.probabilities, np.float64)
    known, positive = answers.known, answers.positive
    curves = [_curve("", probabilities[known], positive[known], points)]
    for k, name in enumerate(names):
        there = known[:, k]
        curves.append(_curve(name, probabilities[there, k], positive[there, k], points))
    return curves


def _curve(label: str, probabilities: FloatArray, positive: BoolArray, points: int) -> PrecisionRecall:
    support = int(positive.sum())
    if not support:
        return PrecisionRecall(label, 0, (), (), (), None)
    order = np.argsort(-probabilities, kind="stable")
    falling = probabilities[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # of each run of equal probabilities
    hits = positive[order].cumsum()[last]
    precision, recall = hits / (last + 1), hits / support
    average = float((precision * np.diff(recall, prepend=0.0)).sum())
    kept = _spread(recall, points)
    lists = [tuple(values[kept].tolist()) for values in (falling[last], precision, recall)]
    return PrecisionRecall(label, support, lists[0], lists[1], lists[2], average)


def _spread(recall: FloatArray, points: int) -> npt.NDArray[np.intp]:
    """The places of at most `points` points: those nearest to even steps of recall, and both ends."""
    if len(recall) <= points:
        return np.arange(len(recall))
    steps = np.linspace(recall[0], recall[-1], points - 1)
    places = np.searchsorted(recall, steps)
    return np.unique(np.append(places, len(recall) - 1))

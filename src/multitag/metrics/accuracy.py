"""Accuracy: the share of decisions that are right, by label or by whole row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores, metric
from multitag.metrics.sums import divide, weighted_mean, weighted_sums
from multitag.types import BoolArray, FloatArray


@metric()
def label_accuracy(answers: Answers, weights: FloatArray | None) -> Scores:
    """The share of all single label decisions that are right, one minus the Hamming loss.

    With many labels and few on each row this is high for any model; never compare it with an F1.
    """
    right = answers.known & (answers.predicted == answers.positive)
    sums = weighted_sums(_row_totals(right, answers.known), weights)
    return divide(sums[:, 0], sums[:, 1], empty=float("nan"))


@metric()
def subset_accuracy(answers: Answers, weights: FloatArray | None) -> Scores:
    """The share of rows whose whole label set is right.

    Only a row's known labels must agree; a row with none is left out.
    """
    right = (~answers.known | (answers.predicted == answers.positive)).all(axis=1)
    return weighted_mean(right, answers.known_rows, weights)


def _row_totals(right: BoolArray, known: BoolArray) -> npt.NDArray[np.int64]:
    return np.stack([right.sum(axis=1), known.sum(axis=1)], axis=1)

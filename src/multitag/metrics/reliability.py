"""How far probabilities can be trusted: their squared error, and their gap to what happened."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores, metric
from multitag.metrics.sums import divide, weighted_sums
from multitag.types import FloatArray

BINS = 15
"""Bins of equal width over [0, 1], as in Guo et al. 2017; a bin holds its upper end, the first also 0."""


@metric(greater_is_better=False, needs_probabilities=True)
def brier(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean squared difference between probability and gold label, over all known label decisions."""
    squared = np.where(answers.known, (_probabilities(answers) - answers.gold) ** 2, 0.0)
    sums = weighted_sums(np.stack([squared.sum(axis=1), answers.known.sum(axis=1)], axis=1), weights)
    return divide(sums[:, 0], sums[:, 1], empty=np.nan)


@metric(greater_is_better=False, needs_probabilities=True)
def ece(answers: Answers, weights: FloatArray | None) -> Scores:
    """Expected calibration error: how far probabilities lie from how often their labels are there.

    All known label decisions fall into 15 bins of equal width by their probability; the error is the mean
    over decisions of the gap between a bin's mean probability and its share of positives (Guo et al. 2017,
    over single label decisions).
    """
    probabilities = _probabilities(answers)
    bins = np.clip(np.ceil(probabilities * BINS).astype(np.int64) - 1, 0, BINS - 1)
    gaps = np.where(answers.known, probabilities - answers.gold, 0.0)
    rows = len(gaps)
    cells = (np.arange(rows)[:, None] * BINS + bins).ravel()
    per_bin = np.bincount(cells, weights=gaps.ravel(), minlength=rows * BINS).reshape(rows, BINS)
    sums = weighted_sums(np.concatenate([per_bin, answers.known.sum(axis=1)[:, None]], axis=1), weights)
    return divide(np.abs(sums[:, :BINS]).sum(axis=1), sums[:, BINS], empty=np.nan)


def _probabilities(answers: Answers) -> npt.NDArray[np.float64]:
    return np.asarray(answers.probabilities, dtype=np.float64)

"""Weighted sums of per-row statistics, and quotients of them: all that most metrics are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores
from multitag.types import FloatArray

_CELLS = 4_000_000
"""The most cells turned into float64 at once."""


def weighted_sums(per_row: npt.NDArray[Any], weights: FloatArray | None) -> Scores:
    """Sums over rows, for all rounds in one matrix product.

    Args:
        per_row: (N, S), booleans or numbers.
        weights: (R, N), or `None` for one round of ones.

    Returns:
        (R, S).
    """
    if weights is None:
        return np.asarray(per_row.sum(axis=0, dtype=np.float64)[None])
    total = np.zeros((len(weights), per_row.shape[1]))
    step = max(1, _CELLS // max(1, per_row.shape[1]))
    for start in range(0, len(per_row), step):
        part = slice(start, start + step)
        total += weights[:, part] @ per_row[part].astype(np.float64)
    return total


def weighted_mean(values: npt.NDArray[Any], there: npt.NDArray[np.bool_], weights: FloatArray | None) -> Scores:
    """Means (R,) of the values (N,) over the rows that are `there` (N,); NaN in a round without any."""
    pair = np.stack([np.where(there, values, 0.0), there.astype(np.float64)], axis=1)
    total = weighted_sums(pair, weights)
    return divide(total[:, 0], total[:, 1], empty=np.nan)


def divide(above: npt.NDArray[Any], below: npt.NDArray[Any], *, empty: float = 1.0) -> Scores:
    """Quotients elementwise, `empty` where the denominator is 0."""
    result: Scores = np.full(np.broadcast_shapes(above.shape, below.shape), empty, dtype=np.float64)
    np.divide(above, below, out=result, where=below != 0)
    return result


def mean_over_labels(values: Scores, there: npt.NDArray[np.bool_]) -> Scores:
    """Means (R,) of the values (R, K) over the labels that are `there` (R, K); NaN in a round without any."""
    return divide(np.where(there, values, 0.0).sum(axis=1), there.sum(axis=1), empty=np.nan)


@dataclass(frozen=True, slots=True)
class Counts:
    """Weighted counts of cells by label, each (R, K): known, with the label, predicted, and both."""

    known: Scores
    positive: Scores
    claimed: Scores
    hits: Scores

    @classmethod
    def by_label(cls, answers: Answers, weights: FloatArray | None) -> Counts:
        """The counts of each label."""
        return cls(
            known=weighted_sums(answers.known, weights),
            positive=weighted_sums(answers.positive, weights),
            claimed=weighted_sums(answers.claimed, weights),
            hits=weighted_sums(answers.hits, weights),
        )

    @classmethod
    def pooled(cls, answers: Answers, weights: FloatArray | None) -> Counts:
        """The counts of all labels together, each (R, 1)."""
        cells = (answers.known, answers.positive, answers.claimed, answers.hits)
        total = weighted_sums(np.stack([cell.sum(axis=1) for cell in cells], axis=1), weights)
        return cls(total[:, 0:1], total[:, 1:2], total[:, 2:3], total[:, 3:4])

"""The label set whose expected F1 is best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.decisions.base import Decision, NeverEmpty
from multitag.decisions.blocks import map_blocks
from multitag.decisions.expectation import Floats, expected_f1_of_top
from multitag.errors import ConfigError
from multitag.gold import Gold
from multitag.types import BoolArray, FloatArray

_CELLS = 300_000
"""Probabilities to a block of rows."""
_TIE = 1e-12


class ExpectedF1(Decision):
    """Takes for each row the set of likeliest labels whose expected F1 is best.

    No threshold is fitted: a row with one sure label gets one, a row with three likely ones all three. Labels
    count as independent given the row, and probabilities must be calibrated. K^2 steps a row for small K; for
    many labels only so many true labels are reckoned with that more are less likely than `tail`, and only
    sets that a bound allows to be best, which is linear in K where rows have few labels. A chosen set's
    expected F1 is within `tail` of the best; ``tail=0`` reckons with all.

    Source: Ye, Chai, Lee, Chieu 2012, "Optimizing F-measures: a tale of two approaches".

    Args:
        tail: The expected F1 that may be lost for speed.
        never_empty: As of `Decision`.
    """

    def __init__(self, *, tail: float = 1e-12, never_empty: NeverEmpty = "auto") -> None:
        super().__init__(never_empty=never_empty)
        if not 0 <= tail < 1:
            raise ConfigError(f"option 'tail' = {tail!r}; accepted: a probability from 0 up to, not including, 1.")
        self.tail = tail

    def _fit(self, probs: FloatArray, gold: Gold) -> None:
        """Nothing but the never-empty rule is learned."""

    def _apply(self, probs: FloatArray) -> BoolArray:
        chosen = np.zeros(probs.shape, bool)
        if not probs.size:
            return chosen

        def block(part: slice) -> None:
            order = np.argsort(-probs[part], axis=1, kind="stable")
            falling = np.take_along_axis(probs[part], order, axis=1).astype(np.float64)
            sizes = best_sizes(falling, least=int(self.never_empty_), tail=self.tail)
            np.put_along_axis(chosen[part], order, np.arange(falling.shape[1]) < sizes[:, None], axis=1)

        map_blocks(block, len(probs), max(1, _CELLS // probs.shape[1]))
        return chosen

    def _state(self) -> dict[str, Any]:
        return {}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing to take over."""


def best_sizes(falling: Floats, *, least: int = 0, tail: float = 0.0) -> npt.NDArray[np.int64]:
    """How many of the likeliest labels to take, (N,): the smallest size whose expected F1 is best to 1e-12.

    Args:
        falling: (N, K), each row's probabilities in falling order.
        least: The smallest size allowed, 0 or 1.
        tail: The expected F1 that may be lost.
    """
    labels = falling.shape[1]
    most = _rounded_up(_largest_useful(falling), labels)
    count = _largest_count(falling.sum(axis=1), labels, tail)
    sizes = np.empty(len(falling), np.int64)
    for top, limit in sorted(set(zip(most.tolist(), count.tolist(), strict=True))):
        rows = np.flatnonzero((most == top) & (count == limit))
        step = max(1, _CELLS // (top * min(top, limit) + limit + labels))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            expected = expected_f1_of_top(np.ascontiguousarray(falling[part].T), most=top, count=limit)[least:]
            sizes[part] = least + (expected >= expected.max(axis=0) - _TIE).argmax(axis=0)
    return sizes


def size_bounds(falling: Floats) -> tuple[Floats, Floats]:
    """What the expected F1 of the 1, 2, ..., K likeliest labels is at least and at most, (N, K) each.

    With T_k the sum of the k highest probabilities and m of all, Jensen's inequality gives
    2 T_k / (k + 1 + m) <= E_k <= min(2 T_k / (k + 1), 2m / (k + m)).
    """
    sizes = np.arange(1, falling.shape[1] + 1)
    sums = np.cumsum(falling, axis=1)
    mean = sums[:, -1:]
    return 2 * sums / (sizes + 1 + mean), np.minimum(2 * sums / (sizes + 1), 2 * mean / (sizes + mean))


def _largest_useful(falling: Floats) -> npt.NDArray[np.int64]:
    """The largest size (N,), at least 1, that the bounds allow to be best."""
    lower, upper = size_bounds(falling)
    useful = upper >= lower.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(falling.shape[1] - useful[:, ::-1].argmax(axis=1))


def _largest_count(mean: Floats, labels: int, tail: float) -> npt.NDArray[np.int64]:
    """A number (N,) of true labels that is passed with a probability of at most `tail`.

    Chernoff: P(S >= j) <= exp(j - m - j log(j / m)) for j > m, the mean number of labels.
    """
    result = np.full(len(mean), labels)
    if tail > 0:
        for size in reversed(_sizes(labels)[:-1]):
            over = size + 1
            with np.errstate(divide="ignore"):
                bound = over - mean - over * (np.log(over) - np.log(mean))
            result[(over > mean) & (bound <= np.log(tail))] = size
    return result


def _rounded_up(values: npt.NDArray[np.int64], labels: int) -> npt.NDArray[np.int64]:
    allowed = np.asarray(_sizes(labels))
    return np.asarray(allowed[np.searchsorted(allowed, values)])


def _sizes(labels: int) -> list[int]:
    """4, 8, 16, ... and the number of labels: few, so that rows of one size are reckoned together."""
    return [2**power for power in range(2, labels.bit_length()) if 2**power < labels] + [labels]

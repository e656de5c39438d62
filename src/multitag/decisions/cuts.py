"""Where to cut one ranking: the threshold with the best F1, exactly, by one sort."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.types import BoolArray, FloatArray


def between(low: float, high: float) -> float:
    """The middle of low < high, and never low itself: ``>=`` takes in high and leaves out low."""
    middle = low + (high - low) / 2
    return high if middle <= low else middle


def above(highest: float) -> float:
    """A threshold that nothing up to `highest` reaches; past 1 by a step that float32 sees too."""
    return between(highest, 1.0) if highest < 1 else float(np.nextafter(np.float32(1), np.float32(2)))


def f1(hits: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """F1 from hits and |gold| + |predicted|, elementwise; 1 where both sets are empty."""
    result = np.ones(np.broadcast_shapes(hits.shape, sizes.shape))
    np.divide(2 * hits, sizes, out=result, where=sizes > 0)
    return result


class Ranking(NamedTuple):
    """One list of decisions, sorted.

    Attributes:
        values: (M,), the probabilities, rising.
        positives: Those of them that should be in, rising.
        sure_hits: Right predictions beside the list, which no threshold changes.
        sure_misses: Wrong predictions beside the list, which no threshold changes.
    """

    values: FloatArray
    positives: FloatArray
    sure_hits: int = 0
    sure_misses: int = 0

    def curve(self, cuts: FloatArray) -> npt.NDArray[np.float64]:
        """F1 of taking all probabilities from each of the `cuts` on."""
        hits = self.hits(cuts)
        return f1(hits, self.wanted + self.claims(cuts))

    @property
    def wanted(self) -> int:
        """How many decisions should be in, the sure ones too."""
        return len(self.positives) + self.sure_hits

    def hits(self, cuts: FloatArray) -> npt.NDArray[np.float64]:
        """Right predictions from each cut on."""
        return (self.wanted - np.searchsorted(self.positives, cuts)).astype(np.float64)

    def claims(self, cuts: FloatArray) -> npt.NDArray[np.float64]:
        """Predictions from each cut on."""
        sure = self.sure_hits + self.sure_misses
        return (len(self.values) + sure - np.searchsorted(self.values, cuts)).astype(np.float64)

    def threshold(self, cut: float) -> float:
        """Halfway between `cut`, one of the values, and the next lower value, or 0."""
        start = int(np.searchsorted(self.values, cut))
        return between(float(self.values[start - 1]) if start else 0.0, cut)


def rank(scores: FloatArray, positive: BoolArray, *, sure_hits: int = 0, sure_misses: int = 0) -> Ranking:
    """Sorts decisions (M,) with scores in [0, 1], float32 or float64.

    To sort without carrying indices along, each probability's bits (which order as the numbers do, for they
    are not negative) get the gold label as lowest bit.
    """
    bits = np.dtype(np.uint32 if scores.dtype == np.float32 else np.uint64)
    one = bits.type(1)
    raw: npt.NDArray[np.unsignedinteger[Any]] = np.abs(scores).view(bits)
    keys = np.sort((raw << one) | positive)
    values = (keys >> one).view(scores.dtype)
    return Ranking(values, values[(keys & one).astype(bool)], sure_hits, sure_misses)


def best_cut(ranking: Ranking) -> float:
    """The threshold t of the rule ``p >= t`` with the best F1; the highest of equally good ones.

    A best cut lies just under a positive or above everything, so F1 is read only there.
    """
    if not len(ranking.values):
        return 0.5
    cuts = np.append(ranking.positives, ranking.values.dtype.type(np.inf))
    scored = ranking.curve(cuts)
    best = len(scored) - 1 - int(scored[::-1].argmax())
    highest = float(ranking.values[-1])
    return above(highest) if best == len(scored) - 1 else ranking.threshold(float(cuts[best]))

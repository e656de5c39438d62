"""Span F1 as a function of a threshold: exact, with every span that the decoder would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from multitag.spans.units import Floats

Target = Literal["partial_f1", "exact_f1"]
Range = tuple[int, int]
Score = tuple[float, float, int]
"""What a span adds: to the numerator of precision, to that of recall, and to the number of spans."""
Events = tuple[Floats, Floats]
"""Probabilities (E,), and what changes at each (E, 3)."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The sums that span F1 is made of, as one label's threshold falls.

    Attributes:
        heights: (C,), falling probabilities: in the n-th state all units that reach the n-th are active. The first,
            infinity, takes none.
        precise: (C,), the numerator of precision.
        recalled: (C,), the numerator of recall.
        given: (C,), the number of spans.
        gold: The number of gold spans.
    """

    heights: Floats
    precise: Floats
    recalled: Floats
    given: Floats
    gold: int

    @classmethod
    def of(cls, events: Sequence[Events], gold: int) -> Self:
        """Of what changes at each probability, in any order."""
        heights = np.concatenate([np.zeros(0), *(heights for heights, _ in events)])
        changes = np.concatenate([np.zeros((0, 3)), *(changes for _, changes in events)])
        order = np.argsort(-heights, kind="stable")
        heights = heights[order]
        # Units of one probability become active together: only the state after the last of them is real.
        last = np.flatnonzero(np.append(heights[1:] != heights[:-1], True)) if len(heights) else np.zeros(0, int)
        precise, recalled, given = np.concatenate([np.zeros((1, 3)), np.cumsum(changes[order], axis=0)[last]]).T
        return cls(np.append(np.inf, heights[last]), precise, recalled, given, gold)

    @property
    def cuts(self) -> Floats:
        """(C,), a threshold for each state, halfway to the next one's probability."""
        heights = self.heights[1:]
        if not len(heights):
            return np.ones(1)
        above = (1 + heights[0]) / 2 if heights[0] < 1 else np.nextafter(1, 2)
        return np.concatenate([[above], (heights[:-1] + heights[1:]) / 2, heights[-1:] / 2])

    def at(self, thresholds: Floats) -> tuple[Floats, Floats, Floats]:
        """The three sums under any thresholds."""
        place = np.searchsorted(-self.heights, -thresholds, side="right") - 1
        return self.precise[place], self.recalled[place], self.given[place]


def f1(precise: Floats, recalled: Floats, given: Floats, gold: int) -> Floats:
    """Span F1 out of its sums: 1 where there is nothing on either side, 0 where one side is empty."""
    precision = precise / np.maximum(given, 1)
    recall = recalled / max(gold, 1)
    both = precision + recall
    score = 2 * precision * recall / np.where(both > 0, both, 1)
    return np.where((given == 0) & (gold == 0), 1.0, score)


def best_cut(cuts: Floats, scores: Floats) -> float:
    """The highest of the thresholds whose score is best, but for rounding."""
    return float(cuts[np.flatnonzero(scores >= scores.max() - 1e-12)[0]])


def add_up(curves: Sequence[Curve]) -> Curve:
    """One curve for one threshold for all labels."""
    heights = np.unique(np.concatenate([curve.heights for curve in curves]))[::-1]
    precise, recalled, given = np.sum([curve.at(heights) for curve in curves], axis=0)
    return Curve(heights, precise, recalled, given, sum(curve.gold for curve in curves))

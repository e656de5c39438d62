"""Span F1 as a function of a threshold: exact, with every span that the decoder would give."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

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


@dataclass(frozen=True, slots=True)
class Judge:
    """What a predicted span adds to the sums of one label in one text.

    Attributes:
        gold: The label's gold spans there.
        target: Which F1.
        shortest: Shorter spans are not given.
    """

    gold: Sequence[Range]
    target: Target
    shortest: int

    def score(self, start: int, stop: int) -> Score:
        """For the span of these characters."""
        if stop - start < self.shortest:
            return (0.0, 0.0, 0)
        if self.target == "exact_f1":
            hit = float((start, stop) in self.gold)
            return (hit, hit, 1)
        precise = recalled = 0.0
        for first, last in self.gold:
            shared = min(stop, last) - max(start, first)
            if shared > 0:
                precise += shared / (stop - start)
                recalled += shared / (last - first)
        return (precise, recalled, 1)


def falling(values: Floats, places: Sequence[Range], walls: npt.NDArray[Any], bridge: int, judge: Judge) -> Events:
    """What happens to the sums as units become active one by one, from the likeliest on.

    Each unit changes the one span that it becomes part of, so all thresholds together cost little more than one.

    Args:
        values: (U,), one label's probabilities.
        places: The units' characters.
        walls: How many blocked units there are up to each, itself included.
        bridge: As of `find_runs`.
        judge: What spans are worth.
    """
    order = np.argsort(-values, kind="stable")
    if not judge.gold and not bridge and judge.shortest <= 1:
        return values, _counts(order, walls)
    heights: list[float] = []
    changes: list[Score] = []
    firsts: list[int] = []
    last_of: dict[int, int] = {}
    for unit in order.tolist():
        place = bisect_right(firsts, unit) - 1
        first = last = unit
        old: list[Range] = []
        if place >= 0:
            before = firsts[place]
            if last_of[before] > unit:
                continue  # bridged before: the span is as it was
            if unit - last_of[before] <= bridge + 1 and walls[unit] == walls[last_of[before]]:
                first = before
                old.append((before, last_of[before]))
        if place + 1 < len(firsts):
            after = firsts[place + 1]
            if after - unit <= bridge + 1 and walls[after] == walls[unit]:
                last = last_of[after]
                old.append((after, last))
                del firsts[place + 1]
        if first == unit:
            insort(firsts, unit)
        last_of[first] = last
        new = judge.score(places[first][0], places[last][1])
        gone = [judge.score(places[a][0], places[b][1]) for a, b in old]
        heights.append(float(values[unit]))
        changes.append(
            (
                new[0] - sum(score[0] for score in gone),
                new[1] - sum(score[1] for score in gone),
                new[2] - sum(score[2] for score in gone),
            )
        )
    return np.array(heights), np.array(changes, np.float64).reshape(-1, 3)


def _counts(order: npt.NDArray[np.intp], walls: npt.NDArray[Any]) -> Floats:
    """The changes where there is no gold, which is nearly everywhere: only the number of spans, one more for each unit
    and one less for each neighbour that became active before it."""
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    open_ = np.diff(walls) == 0
    later = np.diff(place) > 0
    changes: Floats = np.zeros((len(order), 3))
    changes[:, 2] = 1
    changes[1:, 2] -= open_ & later
    changes[:-1, 2] -= open_ & ~later
    return changes

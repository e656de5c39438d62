"""What happens to span F1's sums as the threshold falls: unit by unit, each text and label on its own."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.spans.curve import Events, Range, Score, Target
from multitag.spans.units import Floats


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

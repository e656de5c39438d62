"""What decoders decide on: tokens, or whole words, and where a span may not go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from multitag.spans.tagged import TaggedText
from multitag.types import BoolArray
from multitag.words import words

Floats = npt.NDArray[np.float64]
Unit = Literal["token", "word"]
Pool = Literal["max", "mean"]
Gaps = Literal["lines", "spaces", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """U stretches of one text that are taken whole or not at all, in order, without overlap.

    Attributes:
        starts: (U,), their first characters.
        stops: (U,), the characters after their last.
        values: (U, K) or (U, 2K), as of `TaggedText`.
        blocked: (U,), True where no span goes from the unit before on into this one.
    """

    starts: npt.NDArray[np.int64]
    stops: npt.NDArray[np.int64]
    values: Floats
    blocked: BoolArray


def units_of(row: TaggedText, *, unit: Unit, pool: Pool, gaps: Gaps) -> Units:
    """The units of a text.

    Args:
        row: The text and its tokens' probabilities.
        unit: Tokens, or the words of `multitag.words` that tokens share a character with; tokens that stand for the
            same character are one in any case.
        pool: How the values of a unit's tokens become its own.
        gaps: The white space that a span goes across: line breaks too, spaces only, none.
    """
    if unit == "word":
        places, groups = _by_word(row)
    else:
        places, groups = _by_token(row)
    width = row.values.shape[1]
    join = np.max if pool == "max" else np.mean
    values = [join(row.values[group], axis=0) for group in groups]
    starts, stops = np.asarray(places, np.int64).reshape(-1, 2).T
    blocked = np.zeros(len(places), bool)
    for after in range(1, len(places)):
        blocked[after] = _stops(row.text[stops[after - 1] : starts[after]], gaps)
    return Units(starts, stops, np.asarray(values, np.float64).reshape(-1, width), blocked)


def _by_token(row: TaggedText) -> tuple[list[tuple[int, int]], list[list[int]]]:
    places: list[tuple[int, int]] = []
    groups: list[list[int]] = []
    for token, (start, stop) in enumerate(row.offsets.tolist()):
        if places and start < places[-1][1]:
            places[-1] = (places[-1][0], max(stop, places[-1][1]))
            groups[-1].append(token)
        else:
            places.append((start, stop))
            groups.append([token])
    return places, groups


def _by_word(row: TaggedText) -> tuple[list[tuple[int, int]], list[list[int]]]:
    places: list[tuple[int, int]] = []
    groups: list[list[int]] = []
    offsets: Sequence[tuple[int, int]] = row.offsets.tolist()
    first = 0
    for start, stop in words(row.text):
        while first < len(offsets) and offsets[first][1] <= start:
            first += 1
        token = first
        while token < len(offsets) and offsets[token][0] < stop:
            token += 1
        if token > first:
            places.append((start, stop))
            groups.append(list(range(first, token)))
    return places, groups


def _stops(between: str, gaps: Gaps) -> bool:
    if gaps == "lines":
        return False
    if gaps == "spaces":
        return any(character in between for character in "\n\r\v\f\x85\u2028\u2029")
    return any(map(str.isspace, between))


def find_runs(active: BoolArray, blocked: BoolArray, bridge: int) -> list[tuple[int, int]]:
    """The first and last unit of each span.

    Two active units are in one span if at most `bridge` units between them are not active, and nothing from the
    first on to the second is blocked.

    Args:
        active: (U,).
        blocked: (U,), as of `Units`.
        bridge: How many units a span goes across.
    """
    taken = np.flatnonzero(active)
    if not len(taken):
        return []
    walls = np.cumsum(blocked)[taken]
    apart: Any = (np.diff(taken) > bridge + 1) | (np.diff(walls) > 0)
    cuts = np.flatnonzero(apart)
    firsts = taken[np.concatenate([[0], cuts + 1])]
    lasts = taken[np.concatenate([cuts, [len(taken) - 1]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))

"""Pictures that look the same: copies scaled, compressed anew, recoloured a little or retouched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from multitag.data.fingerprints import Fingerprint

MAX_BITS: Final = 8
MAX_COLOUR: Final = 0.06
_BLOCK: Final = 512


def near_copies(
    fingerprints: Sequence[Fingerprint | None], *, max_bits: int = MAX_BITS, max_colour: float = MAX_COLOUR
) -> list[tuple[int, ...]]:
    """Groups of rows whose pictures look the same, rows in order, groups by their first row.

    Two pictures do where at most `max_bits` of their 64 bits differ and their patches' colours differ by at most
    `max_colour` of the whole range on average; a group is whatever such pairs connect.

    Not all pairs are compared: the bits are cut into ``max_bits + 1`` bands, and two hashes that differ in at most
    `max_bits` places agree on one band at least, so only those that share a band are (the pigeonhole principle of
    multi-index hashing: Norouzi, Punjani and Fleet 2012). Exact repeats are joined before that.

    Args:
        fingerprints: One a row; `None` where there is no picture.
        max_bits: The most bits that differ, up to 31.
        max_colour: The most that colours differ, 0 to 1.
    """
    rows_of: dict[Fingerprint, list[int]] = {}
    for row, found in enumerate(fingerprints):
        if found is not None:
            rows_of.setdefault(found, []).append(row)
    different = list(rows_of)
    parents = list(range(len(different)))
    for one, other in _pairs(different, max_bits, max_colour):
        parents[_root(parents, one)] = _root(parents, other)
    groups: dict[int, list[int]] = {}
    for place, found in enumerate(different):
        groups.setdefault(_root(parents, place), []).extend(rows_of[found])
    return sorted(tuple(sorted(rows)) for rows in groups.values() if len(rows) > 1)


def _pairs(different: list[Fingerprint], max_bits: int, max_colour: float) -> Iterator[tuple[int, int]]:
    """Pairs that look the same; some come more than once."""
    bits = np.array([found.bits for found in different], np.uint64)
    colours = np.array([np.frombuffer(found.colours, np.uint8) for found in different], np.int16)
    for keys in _bands(bits, max_bits + 1):
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=keys[order][:1] + 1))
        for bucket in np.split(order, starts[1:]):
            if len(bucket) > 1:
                yield from _within(bucket, bits, colours, max_bits, max_colour)


def _bands(bits: npt.NDArray[np.uint64], number: int) -> Iterator[npt.NDArray[np.uint64]]:
    """The bits cut into bands, as evenly as they go."""
    edges = np.linspace(0, 64, number + 1).astype(int).tolist()
    for start, stop in pairwise(edges):
        yield (bits >> np.uint64(start)) & np.uint64((1 << (stop - start)) - 1)


def _within(
    bucket: npt.NDArray[np.intp],
    bits: npt.NDArray[np.uint64],
    colours: npt.NDArray[np.int16],
    max_bits: int,
    max_colour: float,
) -> Iterator[tuple[int, int]]:
    """Pairs of one bucket, some rows against the bucket at a time."""
    for start in range(0, len(bucket), _BLOCK):
        part: npt.NDArray[Any] = bucket[start : start + _BLOCK]
        close = np.bitwise_count(bits[part, None] ^ bits[bucket]) <= max_bits
        ones, others = np.nonzero(np.triu(close, start + 1))
        for at in range(0, len(ones), 1 << 16):
            one, other = part[ones[at : at + (1 << 16)]], bucket[others[at : at + (1 << 16)]]
            same = np.abs(colours[one] - colours[other]).mean(1) <= max_colour * 255
            yield from zip(one[same].tolist(), other[same].tolist(), strict=True)


def _root(parents: list[int], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place

"""Where quotes, separators and line ends stand in bytes: one bit a byte, 64 of them in a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Chars: TypeAlias = NDArray[np.uint8]
Bits: TypeAlias = NDArray[np.uint64]

WORD = 64
_ONE, _TOP = np.uint64(1), np.uint64(WORD - 1)


@dataclass(frozen=True, slots=True)
class Marks:
    """What the bytes of a text that starts with a record are, in RFC 4180's reading.

    Attributes:
        separators: Separators that are not within quotes.
        ends: Line ends that are not within quotes.
        breaks: Line ends within quotes.
        broken: Quotes that neither open nor close a cell nor are doubled, and carriage returns that are neither
            within quotes nor before a line end.
    """

    separators: Bits
    ends: Bits
    breaks: Bits
    broken: Bits


def find_marks(chars: Chars, separator: str, *, returns: bool) -> Marks:
    """The marks of a text.

    Args:
        chars: Its bytes.
        separator: One ASCII character.
        returns: Whether carriage returns may be among them.
    """
    quotes, separators, lines = (_bits(chars, mark) for mark in ('"', separator, "\n"))
    inside = _odd(quotes)
    opening, closing = quotes & inside, quotes & ~inside
    cuts = separators | lines
    starts = _next(cuts | closing)
    starts[:1] |= _ONE
    stops = cuts | opening
    broken = opening & ~starts
    if returns:
        carriages, of_lines = _bits(chars, "\r"), _previous(lines)
        stops |= carriages & of_lines
        broken |= carriages & ~of_lines & ~inside
    broken |= closing & ~_previous(stops)
    return Marks(separators & ~inside, lines & ~inside, lines & inside, broken)


def before(words: Bits, end: int) -> Bits:
    """The bits of the first `end` bytes."""
    kept = words[: -(-end // WORD)].copy()
    if end % WORD:
        kept[-1] &= (_ONE << np.uint64(end % WORD)) - _ONE
    return kept


def count(words: Bits) -> int:
    """How many bits are set."""
    return int(np.bitwise_count(words).sum())


def after_last(words: Bits) -> int:
    """The byte after the last whose bit is set, 0 where none is."""
    some = np.flatnonzero(words)
    return int(some[-1]) * WORD + int(words[some[-1]]).bit_length() if len(some) else 0


def evenly(marks: Bits, ends: Bits, each: int) -> bool:
    """Whether `each` marks stand before the first end and between any two that follow one another."""
    some = np.flatnonzero(ends)
    # Marks before a word, less those that its place among the ends asks for.
    counts = np.bitwise_count(marks) - each * np.bitwise_count(ends).astype(np.int64)
    surplus = (np.cumsum(counts) - counts)[some]
    marks, ends, asked = marks[some], ends[some], 0
    while len(ends):
        asked += each
        others = ends & (ends - _ONE)
        if (np.bitwise_count(marks & ((ends ^ others) - _ONE)) + surplus != asked).any():
            return False
        some = np.flatnonzero(others)
        marks, ends, surplus = marks[some], others[some], surplus[some]
    return True


def _bits(chars: Chars, mark: str) -> Bits:
    packed = np.packbits(chars == ord(mark), bitorder="little")
    words = np.zeros(-(-len(chars) // WORD), "<u8")
    words.view(np.uint8)[: len(packed)] = packed
    return words.astype(np.uint64, copy=False)


def _odd(words: Bits) -> Bits:
    """For each byte, whether the bits up to it are an odd number: the running xor, by doubling within words."""
    running = words.copy()
    for step in (1, 2, 4, 8, 16, 32):
        running ^= running << np.uint64(step)
    carried = np.bitwise_xor.accumulate(running >> _TOP)
    running[1:] ^= np.uint64(0) - carried[:-1]
    return running


def _next(words: Bits) -> Bits:
    """The bytes after those whose bits are set."""
    moved = words << _ONE
    moved[1:] |= words[:-1] >> _TOP
    return moved


def _previous(words: Bits) -> Bits:
    """The bytes before those whose bits are set."""
    moved = words >> _ONE
    moved[:-1] |= words[1:] << _TOP
    return moved

"""Whether a CSV file is RFC 4180 to the letter, judged by its bytes, and the stretches in which it can be read.

This is the fast way: what passes here the strict grammar would read just so. All else is left to the grammars, even
what the strict one takes: quotes within bare cells, blank lines between rows, a single column, other encodings.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multitag.ahead import ahead
from multitag.data.csv_bits import Chars, after_last, before, count, evenly, find_marks
from multitag.data.csv_dialect import Header
from multitag.data.csv_pieces import Piece, body, pieces
from multitag.data.csv_scan import TAIL

_WINDOW = 1 << 21
"""So many bytes are looked at together. With fewer, threads wait for each other; more leave the processor's cache."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole records that stand one after the other in a file.

    Attributes:
        start: The byte at which they start.
        end: The byte after their last line end, which the end of the file stands for if there is none.
        line: The physical line on which they start.
        rows: How many they are.
        breaks: How many line breaks stand within their cells.
    """

    start: int
    end: int
    line: int
    rows: int
    breaks: int


class _Records(NamedTuple):
    rows: int
    length: int
    breaks: int


def find_stretches(path: Path, header: Header, encoding: str | None = None) -> tuple[Stretch, ...] | None:
    """All records of a file in stretches, or `None` where any of it is not surely RFC 4180 in UTF-8.

    Args:
        path: The file.
        header: Its header.
        encoding: Its encoding, if one was given.
    """
    if len(header.names) < 2 or (encoding is not None and codecs.lookup(encoding).name != "utf-8"):
        return None
    records = body(path, header, marked=encoding is None)
    if records is None:
        return None
    found: list[Stretch] = []
    start, line = records.start, header.lines + 1

    def look(piece: Piece) -> tuple[Piece, _Records | None]:
        return piece, _records(piece.read(path), header)

    for piece, seen in ahead(look, pieces(path, records)):
        # What came before was cut by a line break in quotes: then this was read from the wrong place.
        here = seen if piece.start == start else look(Piece(start, piece.end, piece.limit))[1]
        # The grammar stops looking for the end of a record that is longer than its tail.
        if here is None or start + here.length < piece.limit - TAIL:
            return None
        end = start + here.length
        if here.rows:
            found.append(Stretch(start, end, line, here.rows, here.breaks))
        start, line = end, line + here.rows + here.breaks
    return tuple(found) if start >= records.end else None


def _records(text: bytes, header: Header) -> _Records | None:
    """The records that end in a text, or `None` where one is not as it should be."""
    # Searches in bytes are many times as fast as comparisons of arrays.
    if not _is_text(text):
        return None
    returns = b"\r" in text
    rows, start, breaks, window = 0, 0, 0, _WINDOW
    while start < len(text):
        end = text.rfind(b"\n", start, start + window) + 1 or start
        here = _within(np.frombuffer(text, np.uint8, end - start, start), header, returns=returns)
        if here is None:
            return None
        if not here.rows and start + window >= len(text):
            break
        window = _WINDOW if here.rows else window * 2
        rows, start, breaks = rows + here.rows, start + here.length, breaks + here.breaks
    return _Records(rows, start, breaks)


def _is_text(text: bytes) -> bool:
    try:
        if not text.isascii():
            text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in text


def _within(chars: Chars, header: Header, *, returns: bool) -> _Records | None:
    marks = find_marks(chars, header.separator, returns=returns)
    length = after_last(marks.ends)
    if before(marks.broken, length).any() or not evenly(marks.separators, marks.ends, len(header.names) - 1):
        return None
    return _Records(count(marks.ends), length, count(before(marks.breaks, length)))

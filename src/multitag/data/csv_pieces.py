"""A CSV file cut into pieces of whole lines, without reading it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from multitag.data.csv_dialect import Header
from multitag.data.csv_scan import TAIL
from multitag.data.encoding import BLOCK_BYTES

_LINE_ENDS = re.compile(rb"(?:\r?\n)*")


class Piece(NamedTuple):
    """Some lines of a file.

    Attributes:
        start: Their first byte.
        end: The byte after them.
        limit: Where the block ended that they were cut from.
    """

    start: int
    end: int
    limit: int

    def read(self, path: Path) -> bytes:
        """Their bytes, with a line end after the last line even where the file has none."""
        with path.open("rb") as file:
            text = _read(file, self.start, self.end)
        return text + b"\n" if text and not text.endswith(b"\n") else text


def body(path: Path, header: Header, *, marked: bool) -> Piece | None:
    """All of a file after the header, but for blank lines at the end; `None` where carriage returns end lines.

    Args:
        path: The file.
        header: Its header.
        marked: Whether a byte order mark is none of the header's characters.
    """
    with path.open("rb") as file:
        # No character has more than four bytes; the last may be cut.
        head = file.read(len(codecs.BOM_UTF8) + 4 * header.length)
        mark = len(codecs.BOM_UTF8) if marked and head.startswith(codecs.BOM_UTF8) else 0
        start = mark + len(head[mark:].decode("utf-8", errors="ignore")[: header.length].encode())
        end = file.seek(0, 2)
        tail = _read(file, max(start, end - TAIL), end)
    records = tail.rstrip(b"\r\n")
    if head[start - 1 : start] != b"\n" or not _LINE_ENDS.fullmatch(tail, len(records)):
        return None
    stop = end - len(tail) + len(records)
    ending = 2 if tail.startswith(b"\r\n", len(records)) else 1
    return Piece(start, min(stop + ending, end) if records else stop, end)


def pieces(path: Path, whole: Piece) -> Iterator[Piece]:
    """The lines of a piece, block by block; the last line of each is left to the next, as `scan` leaves records."""
    start = whole.start
    with path.open("rb") as file:
        for block in range(BLOCK_BYTES, whole.end, BLOCK_BYTES):
            end = _last_line(file, start, block)
            yield Piece(start, end, block)
            start = end
    yield Piece(start, whole.end, whole.end)


def _last_line(file: BinaryIO, start: int, block: int) -> int:
    """Where the last line starts that does not end with the block or before it."""
    for size in (1 << 16, TAIL):
        low = max(start, block - 1 - size)
        at = _read(file, low, block - 1).rfind(b"\n")
        if at >= 0:
            return low + at + 1
    return start


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(max(end - start, 0))

"""A stretch of a table as every format's reader hands it on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a table, column by column, as the file holds them.

    Attributes:
        columns: Real column name to its cells, all of one length. Cells of text formats are strings; cells of
            typed formats keep their type, and `None` is a null.
        lines: For each row, the physical line (or the row number) on which it starts.
        place: What comes before the line in a message, e.g. ``"train.csv:"``.
    """

    columns: Mapping[str, Sequence[Any]]
    lines: Sequence[int]
    place: str

    def __len__(self) -> int:
        return len(self.lines)

    def cells(self, name: str) -> Sequence[Any]:
        """The cells of a column; nulls where this part of the table does not have it."""
        return self.columns[name] if name in self.columns else [None] * len(self)

    def where(self, row: int) -> str:
        """The place of `row`, ``"train.csv:17"``."""
        return f"{self.place}{self.lines[row]}"

    def part(self, start: int, stop: int) -> Chunk:
        """Rows `start` up to, not including, `stop`."""
        columns = {name: cells[start:stop] for name, cells in self.columns.items()}
        return Chunk(columns, self.lines[start:stop], self.place)


def joined(chunks: Iterable[Chunk]) -> Chunk | None:
    """All chunks as one, or `None` where there are none."""
    parts = list(chunks)
    if len(parts) < 2:
        return parts[0] if parts else None
    names = dict.fromkeys(name for part in parts for name in part.columns)
    columns = {name: [cell for part in parts for cell in part.cells(name)] for name in names}
    return Chunk(columns, [line for part in parts for line in part.lines], parts[0].place)


def resized(chunks: Iterable[Chunk], rows: int) -> Iterator[Chunk]:
    """The same rows in chunks of at most `rows`."""
    for chunk in chunks:
        for start in range(0, len(chunk), rows):
            yield chunk.part(start, start + rows)

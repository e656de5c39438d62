"""The cells of a text column, made into strings when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import polars as pl


class Texts(Sequence[str]):
    """A column of strings that takes the room of their bytes; equal to any sequence of the same strings."""

    __slots__ = ("_cells",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, cells: pl.Series) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Texts: ...
    def __getitem__(self, row: int | slice) -> str | Texts:
        if isinstance(row, slice):
            return Texts(self._cells[row])
        cell: str = self._cells[row]
        return cell

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells.to_list())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Sequence) and not isinstance(other, str):
            return len(self) == len(other) and all(ours == theirs for ours, theirs in zip(self, other, strict=True))
        return NotImplemented

    def unquoted(self) -> Texts:
        """Without the quotes around those cells that have them."""
        cells, quote = pl.col(self._cells.name), pl.lit('"')
        around = cells.str.starts_with(quote) & cells.str.ends_with(quote) & (cells.str.len_bytes() > 1)
        inner = cells.str.strip_prefix(quote).str.strip_suffix(quote)
        return Texts(self._cells.to_frame().select(pl.when(around).then(inner).otherwise(cells)).to_series())

    def hold(self, part: str) -> bool:
        """Whether `part` stands in any of them."""
        return bool(self._cells.str.contains(part, literal=True).any())

    def __repr__(self) -> str:
        return f"Texts({self._cells.to_list()!r})"

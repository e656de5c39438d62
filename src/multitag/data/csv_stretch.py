"""A stretch of RFC 4180 to the letter into a chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import polars as pl

from multitag.ahead import ahead
from multitag.data.chunk import Chunk
from multitag.data.csv_dialect import Header
from multitag.data.csv_frame import parsed
from multitag.data.csv_standard import Stretch
from multitag.data.texts import Texts
from multitag.errors import DataError


def read_stretches(path: Path, header: Header, stretches: Sequence[Stretch]) -> Iterator[Chunk]:
    """The rows of a file, a chunk a stretch.

    Args:
        path: The file.
        header: Its header.
        stretches: As `find_stretches` found them.

    Raises:
        DataError: The file is no longer what it was then.
    """
    changed = f"{path} was changed while it was read"
    frames = ahead(lambda stretch: _frame(path, header, stretch), stretches)
    for stretch in stretches:
        try:
            frame = next(frames)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(f"{changed}: {error}") from error
        if frame.height != stretch.rows:
            raise DataError(f"{changed}: {frame.height} rows from line {stretch.line} on, where {stretch.rows} were.")
        cells = [Texts(column) for column in frame]
        yield Chunk(dict(zip(header.names, cells, strict=True)), _lines(frame, stretch), f"{path.name}:")


def _frame(path: Path, header: Header, stretch: Stretch) -> pl.DataFrame:
    with path.open("rb") as file:
        file.seek(stretch.start)
        return parsed(file.read(stretch.end - stretch.start), len(header.names), header.separator)


def _lines(frame: pl.DataFrame, stretch: Stretch) -> Sequence[int]:
    if not stretch.breaks:
        return range(stretch.line, stretch.line + stretch.rows)
    breaks = frame.select(pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True))).to_series().to_list()
    return [stretch.line + row + before for row, before in enumerate(accumulate(breaks[:-1], initial=0))]

"""Parquet files and data frames into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from multitag.data.chunk import Chunk
from multitag.data.values import is_null
from multitag.errors import DataError

ROWS: Final = 1 << 15


def parquet_chunks(path: Path, rows: int = ROWS) -> Iterator[Chunk]:
    """The rows of a Parquet file, `rows` at a time.

    Raises:
        DataError: The file is missing or is no Parquet file.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist.")
    try:
        frame = pl.scan_parquet(path, glob=False)
        total = frame.select(pl.len()).collect().item()
        for start in range(0, total, rows):
            yield _chunk(frame.slice(start, rows).collect(), start, f"{path.name}: row ")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error


def frame_chunks(frame: pl.DataFrame, rows: int = ROWS) -> Iterator[Chunk]:
    """The rows of a polars frame, `rows` at a time."""
    for start in range(0, frame.height, rows):
        yield _chunk(frame.slice(start, rows), start, "row ")


def pandas_chunks(frame: Any, rows: int = ROWS) -> Iterator[Chunk]:
    """The rows of a pandas frame, `rows` at a time; NaN and NA are nulls, and its index is left out."""
    for start in range(0, len(frame), rows):
        part = frame.iloc[start : start + rows]
        columns = {str(name): _without_nan(part.iloc[:, k].tolist()) for k, name in enumerate(frame.columns)}
        yield Chunk(columns, range(start + 1, start + len(part) + 1), "row ")


def is_pandas(source: object) -> bool:
    """Whether this is a pandas frame, without importing pandas."""
    return type(source).__module__.partition(".")[0] == "pandas" and hasattr(source, "iloc")


def _chunk(frame: pl.DataFrame, start: int, place: str) -> Chunk:
    columns = {series.name: series.to_list() for series in frame}
    return Chunk(columns, range(start + 1, start + frame.height + 1), place)


def _without_nan(cells: list[Any]) -> list[Any]:
    return [None if is_null(cell) else cell for cell in cells]

"""`read_table` and `iter_table`: any table of pictures, texts and labels as samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import polars as pl

from multitag.data.chunk import joined, resized
from multitag.data.columns import Columns
from multitag.data.labels import LabelSeparator
from multitag.data.layout import Layout, Table, table_of_samples
from multitag.data.sources import open_source
from multitag.errors import DataError
from multitag.types import Sample

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Columns", "Table", "TableSource", "iter_table", "read_table"]

TableSource: TypeAlias = "str | Path | pl.DataFrame | pd.DataFrame | Sequence[Sample]"


def read_table(
    source: TableSource,
    *,
    images: str | Path | None = None,
    columns: Columns | None = None,
    separator: LabelSeparator = "auto",
    captions: str | Path | None = None,
    label_names: Sequence[str] | None = None,
    encoding: str | None = None,
    span_names: Sequence[str] | None = None,
) -> Table:
    """Read a whole table.

    A column that marks stretches of the text (a list of objects with start, end and label in each cell; annotation
    tools' exports; columns of tags) gives the samples' spans: ``()`` where there are none, `None` where a row's cell is
    empty.

    A cell with no labels in it is a row known to have none in CSV and TSV, and a row whose labels are not
    known where the format has nulls (JSONL, JSON, Parquet, frames) and holds one. Where every cell of the
    column is empty, nothing is known of any row. In 0/1 columns an empty cell means that this one label is
    not known.

    Args:
        source: A file (CSV, TSV, JSONL, Parquet, JSON, CoNLL columns), a polars or pandas frame, or samples, which
            pass through.
        images: The folder that pictures' names are relative to; the table's own folder by default.
        columns: Which column holds what; by usual names where it does not say.
        separator: What stands between labels; ``"auto"`` judges by the whole column.
        captions: For MS-COCO instances, the captions of the same pictures; several of one picture are joined. By
            default ``captions_X.json`` beside ``instances_X.json``, if it is there.
        label_names: The labels there may be, for a task with a fixed list.
        encoding: The encoding of a text file that is neither UTF-8 nor marked as UTF-16.
        span_names: The labels that spans may bear, for a task with a fixed list.

    Raises:
        DataError: The file or a row cannot be read; faults of one kind come together, each with its line.
    """
    if _are_samples(source):
        return table_of_samples(source, label_names, span_names)
    opened = open_source(source, captions=None if captions is None else Path(captions), encoding=encoding)
    whole = joined(opened.stream())
    if whole is None:
        raise DataError(f"{opened.name} has no rows.")
    asked = columns or Columns()
    layout = Layout.of(
        opened,
        whole,
        asked=asked,
        separator=separator,
        images=images,
        label_names=label_names,
        span_names=span_names,
    )
    return layout.table(whole, 1, whole=True)


def iter_table(
    source: TableSource,
    *,
    chunk_rows: int = 4096,
    images: str | Path | None = None,
    columns: Columns | None = None,
    separator: LabelSeparator = "auto",
    captions: str | Path | None = None,
    label_names: Sequence[str] | None = None,
    encoding: str | None = None,
    span_names: Sequence[str] | None = None,
) -> Iterator[Table]:
    """Read a table as tables of at most `chunk_rows` rows, for files that do not fit in memory.

    As `read_table`, but for what takes a look at all rows: columns and the way labels are written are judged
    by the first few megabytes, repeated ids are found only within a chunk, and rows without an id column are
    named after their picture even where several rows share one. CSV, TSV, JSONL and Parquet are streamed;
    JSON is read at once.

    Args:
        source: As of `read_table`.
        chunk_rows: The most rows in one table.
        images: As of `read_table`.
        columns: As of `read_table`.
        separator: As of `read_table`.
        captions: As of `read_table`.
        label_names: As of `read_table`.
        encoding: As of `read_table`.
        span_names: As of `read_table`.

    Raises:
        DataError: As of `read_table`, when the faulty chunk is reached.
    """
    if chunk_rows < 1:
        raise DataError(f"chunk_rows must be at least 1, not {chunk_rows}.")
    if _are_samples(source):
        table = table_of_samples(source, label_names, span_names)
        for start in range(0, len(table), chunk_rows):
            yield replace(table, samples=table.samples[start : start + chunk_rows])
        return
    opened = open_source(source, captions=None if captions is None else Path(captions), encoding=encoding)
    chunks = opened.stream()
    head = next(chunks)
    asked = columns or Columns()
    layout = Layout.of(
        opened,
        head,
        asked=asked,
        separator=separator,
        images=images,
        label_names=label_names,
        span_names=span_names,
    )
    row = 1
    for chunk in resized(chain([head], chunks), chunk_rows):
        yield layout.table(chunk, row, whole=False)
        row += len(chunk)


def _are_samples(source: TableSource) -> TypeGuard[Sequence[Sample]]:
    return isinstance(source, Sequence) and not isinstance(source, str) and all(isinstance(s, Sample) for s in source)

"""Whatever a table comes from, as one object that gives chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl

from multitag.data.chunk import Chunk
from multitag.data.conll import conll_chunk
from multitag.data.csv import CsvFile
from multitag.data.encoding import text_blocks
from multitag.data.json_formats import read_json
from multitag.data.jsonl import jsonl_chunks
from multitag.data.parquet import frame_chunks, is_pandas, pandas_chunks, parquet_chunks
from multitag.errors import DataError

Format = Literal["csv", "tsv", "jsonl", "parquet", "records", "coco", "conll", "polars", "pandas", "samples"]

ENDINGS: Final = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".json": "json",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
    ".iob2": "conll",
    ".txt": "text",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A table that can be read from its start any number of times.

    Attributes:
        name: What messages call it.
        format: What it is.
        chunks: Starts reading.
        path: Its file.
        names: Its columns, where they are known before the first row.
        label_names: The labels that it declares.
        notes: What was doubtful about it.
    """

    name: str
    format: Format
    chunks: Callable[[], Iterable[Chunk]]
    path: Path | None = None
    names: tuple[str, ...] = ()
    label_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def stream(self) -> Iterator[Chunk]:
        """All chunks that have rows.

        Raises:
            DataError: There are none.
        """
        rows = 0
        for chunk in self.chunks():
            rows += len(chunk)
            if len(chunk):
                yield chunk
        if not rows:
            raise DataError(f"{self.name} has no rows{', only a header' if self.names else ''}.")


def open_source(source: Any, *, captions: Path | None = None, encoding: str | None = None) -> Source:
    """A path, a polars frame or a pandas frame as a `Source`.

    Raises:
        DataError: Something else, a file of an unknown ending, or a file that cannot be read.
    """
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        return Source("the polars frame", "polars", partial(frame_chunks, source), names=tuple(source.columns))
    if is_pandas(source):
        names = tuple(str(name) for name in source.columns)
        return Source("the pandas frame", "pandas", partial(pandas_chunks, source), names=names)
    if isinstance(source, str | Path):
        return _open_file(Path(source), captions, encoding)
    raise DataError(f"a table is a path, a polars or pandas frame or a list of Sample, not a {type(source).__name__}.")


def _captions_beside(path: Path) -> Path | None:
    """The captions that MS-COCO publishes beside its instances: ``captions_val2017.json``."""
    beside = path.with_name(path.name.replace("instances", "captions", 1))
    return beside if path.name.startswith("instances") and beside.is_file() else None


def _opens_json(path: Path, encoding: str | None) -> bool:
    """Whether a text file starts as JSON does: SemEval-2021 task 6 published its JSON as .txt."""
    return next((block.lstrip()[:1] in ("[", "{") for block in text_blocks(path, encoding) if block.strip()), False)


def _open_file(path: Path, captions: Path | None, encoding: str | None) -> Source:
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise DataError(f"{path}: the file ending {path.suffix!r} is unknown. Accepted: {', '.join(ENDINGS)}.")
    if not path.exists():
        raise DataError(f"{path} does not exist.")
    if captions is not None and kind != "json":
        raise DataError(f"{path}: a captions file goes with MS-COCO instances (.json) only.")
    name = str(path)
    if kind == "text":
        kind = "json" if _opens_json(path, encoding) else "conll"
    if kind == "json":
        table = read_json(path, captions or _captions_beside(path), encoding)
        return Source(name, table.kind, lambda: [table.chunk], path, label_names=table.label_names, notes=table.notes)
    if kind == "jsonl":
        return Source(name, "jsonl", partial(jsonl_chunks, path, encoding), path)
    if kind == "conll":
        chunk, notes = conll_chunk(path, encoding)
        return Source(name, "conll", lambda: [chunk], path, notes=notes)
    if kind == "parquet":
        return Source(name, "parquet", partial(parquet_chunks, path), path)
    file = CsvFile.open(path, encoding)
    return Source(
        name,
        "csv" if kind == "csv" else "tsv",
        file.chunks,
        path,
        file.header.names,
        None,
        file.dialect.notes,
    )

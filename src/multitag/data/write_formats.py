"""One writer per file format, each appending predictions to a file in a folder of its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import polars as pl

from multitag.data.labels import LabelStyle
from multitag.errors import DataError
from multitag.types import LabelSpace, Predictions

DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class PredictionLayout:
    """The columns of a file of predictions.

    Attributes:
        space: The labels that may be predicted.
        id_name: The column that names a row.
        labels_name: The column with the labels.
        style: How labels are written in CSV and TSV; one 0/1 column a label also in Parquet. JSONL and
            Parquet hold lists otherwise.
        probabilities: Whether to write a column ``p(label)`` for each label; in JSONL one object of them a
            row.
    """

    space: LabelSpace
    id_name: str = "id"
    labels_name: str = "labels"
    style: LabelStyle | None = None
    probabilities: bool = False

    def __post_init__(self) -> None:
        names = self.header(cells=True)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"two columns of the predictions would have the name {', '.join(map(repr, twice))}.")

    @property
    def indicators(self) -> bool:
        """Whether each label has a 0/1 column."""
        return self.style is not None and self.style.shape == "columns"

    def header(self, *, cells: bool) -> list[str]:
        """The names of all columns; `cells` for formats whose probabilities are columns."""
        labels = list(self.space.names) if self.indicators else [self.labels_name]
        shares = [f"p({name})" for name in self.space.names] if self.probabilities and cells else []
        return [self.id_name, *labels, *shares]

    def cell_style(self) -> LabelStyle:
        """How label cells are joined: as in the input, unless a label's name holds its separator.

        Then by the first of bar, semicolon and comma that no name holds, or as a JSON list.
        """
        asked = self.style if self.style is not None else LabelStyle("split", " ")
        if asked.shape in ("json", "python"):
            return asked
        marks = [asked.separator if asked.shape == "split" else "|", "|", ";", ","]
        for mark in marks:
            if not any((mark.strip() or " ") in name for name in self.space.names):
                return LabelStyle("split", mark)
        return LabelStyle("json")


class RowWriter(Protocol):
    """Appends predictions to a file."""

    def write(self, predictions: Predictions) -> None:
        """Append rows."""

    def close(self) -> Path:
        """Finish, and say where the file is."""


class CsvRows:
    """Comma- or tab-separated rows, quoted as RFC 4180 has it."""

    def __init__(self, folder: Path, layout: PredictionLayout, separator: str = ",") -> None:
        self._path = folder / "rows"
        self._layout = layout
        self._style = layout.cell_style()
        self._file = self._path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, delimiter=separator, lineterminator="\n")
        self._csv.writerow(layout.header(cells=True))

    def write(self, predictions: Predictions) -> None:
        """Append rows."""
        for name, labels, marks, shares in _rows(predictions):
            cells = marks if self._layout.indicators else [self._style.join(labels)]
            self._csv.writerow([name, *cells, *(shares if self._layout.probabilities else ())])

    def close(self) -> Path:
        """Close the file."""
        self._file.close()
        return self._path


class JsonlRows:
    """One object a line: the id, a list of labels, and probabilities by label."""

    def __init__(self, folder: Path, layout: PredictionLayout) -> None:
        self._path = folder / "rows"
        self._layout = layout
        self._file = self._path.open("w", encoding="utf-8", newline="")

    def write(self, predictions: Predictions) -> None:
        """Append rows."""
        names = self._layout.space.names
        for name, labels, _, shares in _rows(predictions):
            row: dict[str, Any] = {self._layout.id_name: name, self._layout.labels_name: labels}
            if self._layout.probabilities:
                row["probabilities"] = dict(zip(names, shares, strict=True))
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def close(self) -> Path:
        """Close the file."""
        self._file.close()
        return self._path


class ParquetRows:
    """A Parquet file, put together at the end out of one small file for each chunk."""

    def __init__(self, folder: Path, layout: PredictionLayout) -> None:
        self._folder = folder
        self._layout = layout
        self._parts = 0

    def write(self, predictions: Predictions) -> None:
        """Append rows."""
        columns: dict[str, Any] = {self._layout.id_name: pl.Series(predictions.ids, dtype=pl.String)}
        for k, name in enumerate(self._layout.space.names):
            if self._layout.indicators:
                columns[name] = pl.Series(predictions.values[:, k].astype("int8"))
        if not self._layout.indicators:
            sets = [list(labels) for labels in predictions.labels]
            columns[self._layout.labels_name] = pl.Series(sets, dtype=pl.List(pl.String))
        if self._layout.probabilities:
            for k, name in enumerate(self._layout.space.names):
                columns[f"p({name})"] = pl.Series(predictions.probabilities[:, k].astype("float64"))
        pl.DataFrame(columns).write_parquet(self._folder / f"{self._parts:09d}.parquet")
        self._parts += 1

    def close(self) -> Path:
        """Join the parts."""
        if not self._parts:
            self.write(_no_rows(self._layout.space))
        path = self._folder / "rows"
        parts = [self._folder / f"{part:09d}.parquet" for part in range(self._parts)]
        pl.scan_parquet(parts, glob=False).sink_parquet(path)
        return path


WRITERS: Final[dict[str, Callable[[Path, PredictionLayout], RowWriter]]] = {
    ".csv": CsvRows,
    ".tsv": lambda folder, layout: CsvRows(folder, layout, "\t"),
    ".jsonl": JsonlRows,
    ".parquet": ParquetRows,
}


def _rows(predictions: Predictions) -> Iterator[tuple[str, list[str], list[int], list[float]]]:
    """Each row's id, labels, 0/1 marks and probabilities."""
    marks = predictions.values.astype(int).tolist()
    shares = predictions.probabilities.round(DIGITS).tolist()
    for name, labels, mark, share in zip(predictions.ids, predictions.labels, marks, shares, strict=True):
        yield name, list(labels), mark, share


def _no_rows(space: LabelSpace) -> Predictions:
    return Predictions((), space, np.zeros((0, len(space)), bool), np.zeros((0, len(space))))

"""Predictions to a file, chunk by chunk; the file appears when all of them are in it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from multitag.data.layout import Table
from multitag.data.write_formats import WRITERS, PredictionLayout, RowWriter
from multitag.errors import DataError
from multitag.types import LabelSpace, Predictions


class PredictionWriter:
    """Writes predictions as CSV, TSV, JSONL or Parquet, by the file's ending.

    A context manager: the rows go to a temporary place beside the file, which takes their place in one step
    at the end of the block. If the block raises, nothing is left behind and an older file stays as it was.
    """

    def __init__(self, path: str | Path, layout: PredictionLayout) -> None:
        """Open nothing yet.

        Args:
            path: The file to write.
            layout: Its columns.

        Raises:
            DataError: The file's ending is unknown, or its folder does not exist.
        """
        self.path = Path(path)
        self.layout = layout
        if self.path.suffix.lower() not in WRITERS:
            accepted = ", ".join(WRITERS)
            raise DataError(f"{path}: cannot write files that end in {self.path.suffix!r}. Accepted: {accepted}.")
        if not self.path.parent.is_dir():
            raise DataError(f"{path} cannot be written: the folder {self.path.parent} does not exist.")
        self._folder: Path | None = None
        self._rows: RowWriter | None = None

    @classmethod
    def like(
        cls, table: Table, path: str | Path, space: LabelSpace, *, probabilities: bool = False
    ) -> PredictionWriter:
        """A writer in the shape of the table that was read: its names of columns, its way of writing labels.

        Args:
            table: The table that the predictions are for.
            path: The file to write.
            space: The labels that may be predicted.
            probabilities: Whether to write them too.
        """
        names = PredictionLayout(
            space,
            id_name=table.id_column or "id",
            labels_name=table.columns.labels or "labels",
            style=table.label_style,
            probabilities=probabilities,
        )
        return cls(path, names)

    def __enter__(self) -> Self:
        """Make the temporary place."""
        self._folder = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=f".{self.path.name}."))
        self._rows = WRITERS[self.path.suffix.lower()](self._folder, self.layout)
        return self

    def write(self, predictions: Predictions) -> None:
        """Append rows, in their order.

        Raises:
            DataError: Their labels are not the layout's, or the writer is not open.
        """
        if self._rows is None:
            raise DataError("predictions are written inside a 'with PredictionWriter(...)' block only.")
        if predictions.space != self.layout.space:
            raise DataError("these predictions are over other labels than the file's columns were made for.")
        self._rows.write(predictions)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the file in its place, or clean up after an error."""
        folder, rows, self._folder, self._rows = self._folder, self._rows, None, None
        if folder is None or rows is None:
            return
        try:
            written = rows.close()
            if kind is None:
                os.replace(written, self.path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

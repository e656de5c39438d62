"""Chunks to samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multitag.data.chunk import Chunk
from multitag.data.columns import FoundColumns
from multitag.data.labels import Labels, LabelStyle
from multitag.data.span_cells import read_marks
from multitag.data.span_checks import checked_spans
from multitag.data.values import image_value, indicator, name_value, text_value
from multitag.errors import DataError, faults_message
from multitag.types import Sample, Span


@dataclass(frozen=True, slots=True)
class RowReader:
    """Makes samples of the rows of one table.

    Attributes:
        columns: What is where.
        style: How labels are written; `None` where there are none.
        folder: What picture names are relative to.
        name: The table, for messages.
    """

    columns: FoundColumns
    style: LabelStyle | None
    folder: Path
    name: str

    def samples(self, chunk: Chunk, ids: Sequence[str]) -> list[Sample]:
        """One sample a row.

        Raises:
            DataError: All cells of the chunk that cannot be read, together.
        """
        faults: list[str] = []
        images = self._cells(chunk, self.columns.image, lambda cell: image_value(cell, self.folder), faults)
        groups = self._cells(chunk, self.columns.group, name_value, faults)
        labels, unknown = self._labels(chunk, faults)
        if faults:
            raise DataError(faults_message(f"{len(faults)} cells of {self.name} cannot be read", faults))
        place = chunk.place
        texts = self._texts(chunk)
        rows = zip(
            ids, images, texts, labels, unknown, self._spans(chunk, ids, texts), groups, chunk.lines, strict=True
        )
        return [
            Sample(id_, image, text, names, unsure, spans, group, f"{place}{line}")
            for id_, image, text, names, unsure, spans, group, line in rows
        ]

    def ids(self, chunk: Chunk, first: int, *, whole: bool) -> tuple[list[str], bool]:
        """The rows' ids, and whether they are the picture column's.

        From the id column; else the picture's name, if no two rows share one; else the row's number.

        Args:
            chunk: The rows.
            first: The number of the first row, counted from 1.
            whole: Whether these are all rows; in a part of a stream, names of pictures are taken without a
                look at the other parts.

        Raises:
            DataError: Ids are empty or stand in several rows.
        """
        if self.columns.id is not None:
            names = [name_value(cell) for cell in chunk.cells(self.columns.id)]
            self._check_ids(chunk, names)
            return [name or "" for name in names], False
        if self.columns.image is not None:
            cells = chunk.cells(self.columns.image)
            texts = [cell.strip() if isinstance(cell, str) else "" for cell in cells]
            distinct = set(texts)
            if "" not in distinct and (not whole or len(distinct) == len(texts)):
                return texts, True
        return [str(first + row) for row in range(len(chunk))], False

    def _check_ids(self, chunk: Chunk, names: Sequence[str | None]) -> None:
        counts = Counter(names)
        if len(counts) == len(names) and None not in counts:
            return
        rows: dict[str | None, list[str]] = {}
        for row, name in enumerate(names):
            if name is None or counts[name] > 1:
                rows.setdefault(name, []).append(chunk.where(row))
        faults = [
            f"{'empty' if name is None else repr(name)}: {', '.join(places[:10])}" + " ..." * (len(places) > 10)
            for name, places in rows.items()
        ]
        raise DataError(
            faults_message(
                f"column {self.columns.id!r} of {self.name} must name each row; {len(faults)} names do not",
                faults,
                fix="Fix: make them different, or say that the table has no ids (id='').",
            )
        )

    def _cells(self, chunk: Chunk, column: str | None, read: Callable[[Any], Any], faults: list[str]) -> Sequence[Any]:
        if column is None:
            return [None] * len(chunk)
        cells = chunk.cells(column)
        try:
            return [read(cell) for cell in cells]
        except (ValueError, TypeError):
            faults += _each_fault(chunk, column, read)
            return [None] * len(chunk)

    def _texts(self, chunk: Chunk) -> Sequence[str | None]:
        columns = [[text_value(cell) for cell in chunk.cells(name)] for name in self.columns.text]
        if len(columns) == 1:
            return columns[0]
        return [" ".join(filter(None, texts)) or None for texts in zip(*columns, strict=True)] or [None] * len(chunk)

    def _spans(
        self, chunk: Chunk, ids: Sequence[str], texts: Sequence[str | None]
    ) -> Sequence[tuple[Span, ...] | None]:
        """Each row's spans, `None` where they are not known.

        Raises:
            DataError: All spans of the chunk that cannot be read, or do not fit their text, together.
        """
        if self.columns.spans is None:
            return [None] * len(chunk)
        found: list[tuple[Span, ...] | None] = []
        faults: list[str] = []
        for row, cell in enumerate(chunk.cells(self.columns.spans)):
            marks, wrong = read_marks(cell)
            spans, unfit = checked_spans(marks or (), texts[row])
            found.append(None if marks is None else spans)
            faults += [f"{chunk.where(row)} (id {ids[row]!r}), {fault}" for fault in (*wrong, *unfit)]
        if faults:
            title = f"{len(faults)} spans of {self.name} cannot be used"
            fix = "Fix: offsets count characters of the text from 0, and the end is the character after the last."
            raise DataError(faults_message(title, faults, fix=fix))
        return found

    def _labels(self, chunk: Chunk, faults: list[str]) -> tuple[Sequence[Labels | None], Sequence[Labels]]:
        none: Labels = ()
        if not self.columns.indicators:
            column = self.columns.labels if self.style is not None else None
            parse = self.style.parser() if self.style is not None else name_value
            return self._cells(chunk, column, parse, faults), [none] * len(chunk)
        names = self.columns.indicators
        marks = [self._cells(chunk, name, indicator, faults) for name in names]
        labels: list[Labels | None] = []
        unknown: list[Labels] = []
        for row in zip(*marks, strict=True):
            unsure = tuple(name for name, mark in zip(names, row, strict=True) if mark is None)
            known = len(unsure) < len(names)
            labels.append(tuple(name for name, mark in zip(names, row, strict=True) if mark) if known else None)
            unknown.append(unsure if known else ())
        return labels, unknown


def _each_fault(chunk: Chunk, column: str, read: Callable[[Any], Any]) -> list[str]:
    faults = []
    for row, cell in enumerate(chunk.cells(column)):
        try:
            read(cell)
        except (ValueError, TypeError) as error:
            faults.append(f"{chunk.where(row)}, column {column!r}: {error}")
    return faults

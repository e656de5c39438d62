"""A table as it was read: its samples, and what its source says about all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from multitag.data.chunk import Chunk
from multitag.data.columns import Columns, FoundColumns, find_columns, missing_labels
from multitag.data.label_style import find_indicators, find_style
from multitag.data.labels import LabelSeparator, LabelStyle
from multitag.data.rows import RowReader
from multitag.data.sources import Format, Source
from multitag.errors import DataError, faults_message
from multitag.types import Sample


@dataclass(frozen=True)
class Table:
    """The rows of a table, and how it was written.

    Attributes:
        samples: Its rows, in its order.
        format: What it was read from.
        name: What messages call it.
        path: Its file, if it has one.
        columns: The real names of its columns.
        id_column: The column that the samples' ids are from; `None` where they are row numbers.
        label_style: How its labels are written; `None` where it has none.
        label_names: All labels it declares (MS-COCO's categories, its 0/1 columns, a given list), in their
            order, even those that no row has; `None` where only the rows say.
        warnings: What a user should look at.
    """

    samples: list[Sample]
    format: Format
    name: str
    path: Path | None = None
    columns: FoundColumns = FoundColumns()  # noqa: RUF009 - frozen
    id_column: str | None = None
    label_style: LabelStyle | None = None
    label_names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def require_labels(self) -> None:
        """Check that there is something to learn from or to compare with.

        Raises:
            DataError: The table has no labels, or no row's labels are known.
        """
        if self.label_style is None and self.format != "samples":
            raise missing_labels(self.name, self.columns)
        if all(sample.labels is None for sample in self.samples):
            raise DataError(f"{self.name}: the labels of all {len(self)} rows are empty.")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is the same for all rows of a table.

    Attributes:
        source: Where the rows come from.
        reader: Makes samples of them.
        label_names: All labels that are declared, if they are.
        warnings: What was doubtful.
    """

    source: Source
    reader: RowReader
    label_names: tuple[str, ...] | None
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        source: Source,
        head: Chunk,
        *,
        asked: Columns,
        separator: LabelSeparator,
        images: str | Path | None,
        label_names: Sequence[str] | None,
    ) -> Layout:
        """What the head of a table says about the rest of it; options as of `read_table`."""
        columns, notes = find_columns(source.name, source.names or tuple(head.columns), asked)
        if columns.labels is None and not columns.indicators and asked.labels is None:
            marks = find_indicators({name: head.cells(name) for name in columns.unused()})
            columns = replace(columns, indicators=marks)
        style = LabelStyle("columns") if columns.indicators else None
        if columns.labels is not None:
            cells = head.cells(columns.labels)
            if any(cell is not None and cell != "" for cell in cells):
                style, doubts = find_style(cells, separator)
                notes += doubts
            else:
                notes.append(f"column {columns.labels!r} is empty: no row's labels are known")
        folder = Path(images) if images is not None else source.path.parent if source.path else Path()
        declared = tuple(label_names) if label_names is not None else source.label_names or columns.indicators or None
        return cls(source, RowReader(columns, style, folder, source.name), declared, (*source.notes, *notes))

    def table(self, chunk: Chunk, first: int, *, whole: bool) -> Table:
        """The chunk's rows, the first of which is row number `first`; `whole` as of `RowReader.ids`."""
        columns = self.reader.columns
        ids, of_pictures = self.reader.ids(chunk, first, whole=whole)
        samples = self.reader.samples(chunk, ids)
        _check_names(self.source.name, samples, self.label_names)
        return Table(
            samples,
            self.source.format,
            self.source.name,
            self.source.path,
            columns,
            columns.image if of_pictures else columns.id,
            self.reader.style,
            self.label_names,
            self.warnings,
        )


def table_of_samples(samples: Sequence[Sample], label_names: Sequence[str] | None) -> Table:
    """A list of samples as a table.

    Raises:
        DataError: The list is empty, ids are repeated, or labels are not among `label_names`.
    """
    if not samples:
        raise DataError("the list of samples is empty.")
    counts = Counter(sample.id for sample in samples)
    twice = [f"{name!r}, {count} times" for name, count in counts.items() if count > 1]
    if twice:
        raise DataError(faults_message(f"{len(twice)} ids name several samples", twice))
    placed = [s if s.source else replace(s, source=f"sample {n}") for n, s in enumerate(samples, 1)]
    names = tuple(label_names) if label_names is not None else None
    _check_names("the list of samples", placed, names)
    return Table(placed, "samples", "the list of samples", label_names=names)


def _check_names(name: str, samples: Sequence[Sample], allowed: tuple[str, ...] | None) -> None:
    if allowed is None:
        return
    known = set(allowed)
    faults = [
        f"{sample.source}: {label!r}"
        for sample in samples
        for label in (*(sample.labels or ()), *sample.unknown)
        if label not in known
    ]
    if faults:
        raise DataError(faults_message(f"{len(faults)} labels of {name} are not among the {len(known)} given", faults))

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
from multitag.data.span_cells import find_span_column
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
        span_names: All labels that spans may bear, where a list was given.
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
    span_names: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def require_labels(self) -> None:
        """Check that there is something to learn from or to compare with.

        Raises:
            DataError: The table has no labels, or no row's labels are known.
        """
        if self.label_style is None and self.columns.spans is not None:
            raise DataError(
                f"{self.name} marks spans of the text (column {self.columns.spans!r}), and has no labels of whole "
                f"rows. Fix: learn the spans (--task spans, SpanTagger), or add a column with labels."
            )
        if self.label_style is None and self.format != "samples":
            raise missing_labels(self.name, self.columns)
        if all(sample.labels is None for sample in self.samples):
            raise DataError(f"{self.name}: the labels of all {len(self)} rows are empty.")

    def require_spans(self) -> None:
        """Check that there are texts whose spans are known.

        Raises:
            DataError: The table marks no spans, or those of no row are known.
        """
        if self.columns.spans is None and self.format != "samples":
            raise DataError(
                f"{self.name} has no column with spans. Its columns: {', '.join(map(repr, self.columns.every))}. "
                f"Fix: name it 'spans', or say which it is (spans=...); each cell is a list of objects with start, end "
                f"and label."
            )
        if all(sample.spans is None for sample in self.samples):
            raise DataError(f"{self.name}: the spans of none of the {len(self)} rows are known.")


@dataclass(frozen=True, slots=True)
class Layout:
    """What is the same for all rows of a table.

    Attributes:
        source: Where the rows come from.
        reader: Makes samples of them.
        label_names: All labels that are declared, if they are.
        warnings: What was doubtful.
        span_names: The labels that spans may bear, if they are declared.
    """

    source: Source
    reader: RowReader
    label_names: tuple[str, ...] | None
    warnings: tuple[str, ...]
    span_names: tuple[str, ...] | None = None

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
        span_names: Sequence[str] | None = None,
    ) -> Layout:
        """What the head of a table says about the rest of it; options as of `read_table`."""
        marking = find_span_column(head.columns) if asked.spans is None else None
        columns, notes = find_columns(source.name, source.names or tuple(head.columns), asked, marking)
        if columns.spans is not None and len(columns.text) > 1:
            raise DataError(
                f"{source.name}: spans are places in one text, and {len(columns.text)} columns are joined: "
                f"{', '.join(map(repr, columns.text))}. Fix: name the one that they are of, or say spans='' to leave "
                f"them."
            )
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
        reader = RowReader(columns, style, folder, source.name)
        spans = tuple(span_names) if span_names is not None else None
        return cls(source, reader, declared, (*source.notes, *notes), spans)

    def table(self, chunk: Chunk, first: int, *, whole: bool) -> Table:
        """The chunk's rows, the first of which is row number `first`; `whole` as of `RowReader.ids`."""
        columns = self.reader.columns
        ids, of_pictures = self.reader.ids(chunk, first, whole=whole)
        samples = self.reader.samples(chunk, ids)
        _check_names(self.source.name, samples, self.label_names, self.span_names)
        return Table(
            samples,
            self.source.format,
            self.source.name,
            self.source.path,
            columns,
            columns.image if of_pictures else columns.id,
            self.reader.style,
            self.label_names,
            self.span_names,
            self.warnings,
        )


def table_of_samples(
    samples: Sequence[Sample], label_names: Sequence[str] | None, span_names: Sequence[str] | None = None
) -> Table:
    """A list of samples as a table.

    Raises:
        DataError: The list is empty, ids are repeated, or labels are not among those given.
    """
    if not samples:
        raise DataError("the list of samples is empty.")
    counts = Counter(sample.id for sample in samples)
    twice = [f"{name!r}, {count} times" for name, count in counts.items() if count > 1]
    if twice:
        raise DataError(faults_message(f"{len(twice)} ids name several samples", twice))
    placed = [s if s.source else replace(s, source=f"sample {n}") for n, s in enumerate(samples, 1)]
    names = tuple(label_names) if label_names is not None else None
    marks = tuple(span_names) if span_names is not None else None
    _check_names("the list of samples", placed, names, marks)
    return Table(placed, "samples", "the list of samples", label_names=names, span_names=marks)


def _check_names(
    name: str, samples: Sequence[Sample], allowed: tuple[str, ...] | None, marks: tuple[str, ...] | None
) -> None:
    for what, known in (("labels", allowed), ("labels of spans", marks)):
        if known is None:
            continue
        faults = [
            f"{sample.source}: {label!r}"
            for sample in samples
            for label in (_labels(sample) if what == "labels" else _marked(sample))
            if label not in set(known)
        ]
        if faults:
            title = f"{len(faults)} {what} of {name} are not among the {len(known)} given"
            raise DataError(faults_message(title, faults))


def _labels(sample: Sample) -> tuple[str, ...]:
    return (*(sample.labels or ()), *sample.unknown)


def _marked(sample: Sample) -> tuple[str, ...]:
    return tuple(span.label for span in sample.spans or ())

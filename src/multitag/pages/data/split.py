"""One table of several, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from multitag.data.image_check import ImageReport
from multitag.data.layout import Table
from multitag.data.summary import TableSummary
from multitag.types import LabelSpace, Sample


@dataclass(frozen=True)
class Split:
    """A table with its report and summary.

    Attributes:
        name: What the page calls it.
        table: Its rows.
        images: The look at its pictures, with fingerprints.
        summary: What `summarise` says of both.
    """

    name: str
    table: Table
    images: ImageReport
    summary: TableSummary

    @property
    def samples(self) -> list[Sample]:
        """Its rows."""
        return self.table.samples

    @cached_property
    def texts(self) -> list[str]:
        """The texts of the rows that have one."""
        return [sample.text for sample in self.samples if sample.text is not None]

    @cached_property
    def labelled(self) -> list[int]:
        """The rows whose labels are known."""
        return [row for row, sample in enumerate(self.samples) if sample.labels is not None]


@dataclass(frozen=True)
class Splits:
    """All tables of a page; the first is the one that the command was given."""

    all: Sequence[Split]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """All labels, those of most rows first."""
        totals: dict[str, int] = {}
        for split in self.all:
            for name, count in split.summary.label_counts.items():
                totals[name] = totals.get(name, 0) + count
        return tuple(sorted(totals, key=lambda name: -totals[name]))

    @cached_property
    def labelled(self) -> list[Split]:
        """The tables in which the labels of some row are known."""
        return [split for split in self.all if split.labelled]

    @cached_property
    def rows(self) -> list[tuple[Split, int]]:
        """All rows of all tables."""
        return [(split, row) for split in self.all for row in range(len(split.samples))]

    def targets(self) -> npt.NDArray[np.float32]:
        """Rows with known labels of all tables by `labels`: 1 has it, 0 has not, NaN not known."""
        known = [split.samples[row] for split in self.all for row in split.labelled]
        return LabelSpace(self.labels).encode(known)

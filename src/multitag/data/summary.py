"""What is in a table and what is wrong with it: the object behind ``multitag check``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from multitag.data.image_check import ImageReport
from multitag.data.layout import Table
from multitag.data.problems import Problem, find_problems
from multitag.types import LabelSpace


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The spread of a number over rows."""

    minimum: float
    quarter: float
    median: float
    three_quarters: float
    maximum: float

    @classmethod
    def of(cls, values: Sequence[int]) -> Quantiles | None:
        """The quantiles of the values, `None` where there are none."""
        if not values:
            return None
        return cls(*(float(q) for q in np.quantile(np.asarray(values), [0, 0.25, 0.5, 0.75, 1])))


@dataclass(frozen=True, slots=True)
class TableSummary:
    """What is in a table.

    Attributes:
        name: The table.
        rows: The number of rows.
        label_counts: For each label, the rows that have it, in the order of the label space.
        unknown_counts: For each label, the labelled rows in which it alone is not known, where there are
            such.
        rows_per_label_count: For each number of labels, the rows with that many; rows without known labels
            left out.
        unlabelled: Rows whose labels are not known.
        without_labels: Rows known to have no label.
        without_image: Rows that name no picture.
        without_text: Rows without a text.
        characters: Lengths of the texts in characters.
        words: Lengths of the texts in words.
        widths: Widths of the upright pictures.
        heights: Heights of the upright pictures.
        usual_sizes: The commonest picture sizes with their numbers, at most five.
        repeated_images: Rows whose picture is an exact copy of an earlier row's.
        repeated_texts: Rows whose text is that of an earlier row.
        unreadable: Rows whose picture cannot be used.
        problems: What is wrong.
    """

    name: str
    rows: int
    label_counts: dict[str, int]
    unknown_counts: dict[str, int]
    rows_per_label_count: dict[int, int]
    unlabelled: int
    without_labels: int
    without_image: int
    without_text: int
    characters: Quantiles | None
    words: Quantiles | None
    widths: Quantiles | None
    heights: Quantiles | None
    usual_sizes: list[tuple[int, int, int]]
    repeated_images: int
    repeated_texts: int
    unreadable: int
    problems: list[Problem]

    @property
    def has_errors(self) -> bool:
        """Whether something must be put right before training."""
        return any(problem.severity == "error" for problem in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """The summary in values that JSON has."""
        return asdict(self) | {
            "rows_per_label_count": {str(count): rows for count, rows in self.rows_per_label_count.items()},
            "usual_sizes": [list(size) for size in self.usual_sizes],
        }


def summarise(table: Table, images: ImageReport | None = None) -> TableSummary:
    """Count what is in a table.

    Args:
        table: The table.
        images: The report of `check_images` on its samples; without it nothing is said of the pictures
            themselves.
    """
    samples = table.samples
    names = table.label_names if table.label_names is not None else LabelSpace.from_samples(samples).names
    having = Counter(name for sample in samples for name in sample.labels or ())
    unsure = Counter(name for sample in samples for name in sample.unknown)
    sets = [sample.labels for sample in samples if sample.labels is not None]
    texts = [sample.text for sample in samples if sample.text is not None]
    sizes = [size for size in images.sizes if size is not None] if images is not None else []
    usual = Counter(sizes).most_common(5)
    return TableSummary(
        name=table.name,
        rows=len(samples),
        label_counts={name: having[name] for name in names},
        unknown_counts={name: unsure[name] for name in names if unsure[name]},
        rows_per_label_count=dict(sorted(Counter(map(len, sets)).items())),
        unlabelled=len(samples) - len(sets),
        without_labels=sum(not labels for labels in sets),
        without_image=sum(sample.image is None for sample in samples),
        without_text=len(samples) - len(texts),
        characters=Quantiles.of([len(text) for text in texts]),
        words=Quantiles.of([len(text.split()) for text in texts]),
        widths=Quantiles.of([width for width, _ in sizes]),
        heights=Quantiles.of([height for _, height in sizes]),
        usual_sizes=[(width, height, count) for (width, height), count in usual],
        repeated_images=_repeated(h for h in images.hashes if h is not None) if images is not None else 0,
        repeated_texts=_repeated(texts),
        unreadable=len(images.bad) if images is not None else 0,
        problems=find_problems(table, images),
    )


def _repeated(values: Iterable[str]) -> int:
    return sum(count - 1 for count in Counter(values).values())

"""What is wrong with a table, each with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from multitag.data.image_check import ImageReport
from multitag.data.layout import Table
from multitag.types import Sample


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right (error) or to look at (warning)."""

    severity: Literal["error", "warning"]
    source: str
    message: str


def find_problems(table: Table, images: ImageReport | None = None) -> list[Problem]:
    """All problems of a table, errors first, each kind in the table's order."""
    found = [Problem("error", bad.source, bad.message) for bad in images.bad] if images is not None else []
    found += [Problem("warning", table.name, warning) for warning in table.warnings]
    found += _of_labels(table)
    found += [
        Problem("warning", sample.source, "the row has neither a picture nor a text")
        for sample in table.samples
        if sample.image is None and sample.text is None
    ]
    if images is not None:
        found += _disagreeing(table.samples, images)
    return sorted(found, key=lambda problem: problem.severity)


def _of_labels(table: Table) -> Iterator[Problem]:
    labelled = [sample for sample in table.samples if sample.labels is not None]
    if not labelled:
        return
    counts = Counter(name for sample in labelled for name in sample.labels or ())
    first = {name: sample.source for sample in reversed(labelled) for name in sample.labels or ()}
    for name in table.label_names or ():
        if not counts[name]:
            yield Problem("warning", table.name, f"no row has the label {name!r}")
    for name, count in counts.items():
        if count == 1:
            yield Problem("warning", first[name], f"the label {name!r} has one example only")
    names = set(counts) | set(table.label_names or ())
    if not counts:
        yield Problem("error", table.name, "no row has any label")
    elif len(names) == 1:
        yield Problem("warning", table.name, f"there is one label only, {next(iter(names))!r}")
    if counts and len(labelled) > 1 and len({frozenset(sample.labels or ()) for sample in labelled}) == 1:
        same = ", ".join(labelled[0].labels or ())
        yield Problem("warning", table.name, f"all {len(labelled)} labelled rows have the same labels: {same}")


def _disagreeing(samples: list[Sample], images: ImageReport) -> Iterator[Problem]:
    """Copies of one picture with the same text whose labels differ: one of them is wrong."""
    seen: dict[tuple[str, str | None], Sample] = {}
    for sample, content in zip(samples, images.hashes, strict=True):
        if content is None or sample.labels is None:
            continue
        earlier = seen.setdefault((content, sample.text), sample)
        if set(earlier.labels or ()) != set(sample.labels):
            yield Problem("warning", sample.source, f"same picture and text as {earlier.source}, other labels")

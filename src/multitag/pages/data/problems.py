"""Everything that ``multitag check`` warns of."""

from __future__ import annotations

from multitag.pages.data.split import Splits
from multitag.report import Column, Section, Table, Text, Thumbnails

WITH_PICTURES = 200


def problems(splits: Splits, thumbnails: Thumbnails) -> Section:
    """The section on suspicious rows.

    Args:
        splits: The tables.
        thumbnails: Makes the pictures of the rows, where they can be read.
    """
    several = len(splits.all) > 1
    rows: list[tuple[object, ...]] = []
    for split in splits.all:
        of_source = {sample.source: sample for sample in reversed(split.samples)}
        for problem in split.summary.problems:
            sample = of_source.get(problem.source)
            drawn = sample is not None and sample.image is not None and len(rows) < WITH_PICTURES
            picture = thumbnails.of(sample.image) if sample is not None and drawn else None
            rows.append(
                (
                    problem.severity,
                    *([split.name] if several else []),
                    problem.source,
                    problem.message,
                    picture,
                    sample.text if sample else None,
                    sample.labels if sample else None,
                )
            )
    if not rows:
        return Section("Problems", (Text("Nothing is wrong.", "note"),))
    columns = (
        Column("kind", choice=True),
        *([Column("table", choice=True)] if several else []),
        Column("where"),
        Column("what"),
        Column("picture", "picture"),
        Column("text"),
        Column("labels", "labels"),
    )
    return Section(
        "Problems",
        (Table("Rows to look at", columns, rows),),
        "An error must be put right before training; a warning is for looking at.",
    )

"""Pictures: their sizes and shapes."""

from __future__ import annotations

from collections import Counter

from multitag.pages.data.split import Splits
from multitag.report import Beside, Column, Section, Table, charts


def pictures(splits: Splits) -> Section | None:
    """The section on picture sizes, if there are any."""
    sizes = {split.name: [size for size in split.images.sizes if size is not None] for split in splits.all}
    every = [size for found in sizes.values() for size in found]
    if not every:
        return None
    usual = Counter(every).most_common()
    return Section(
        "Picture sizes",
        (
            Beside(
                (
                    charts.histogram(
                        "Width and height",
                        {"width": [width for width, _ in every], "height": [height for _, height in every]},
                        value="pixels",
                    ),
                    charts.histogram(
                        "Shape",
                        {name: [width / height for width, height in found] for name, found in sizes.items() if found},
                        value="width by height (1 is square)",
                        share=len(sizes) > 1,
                    ),
                )
            ),
            Table(
                "Sizes",
                (
                    Column("width", "number", digits=0),
                    Column("height", "number", digits=0),
                    Column("rows", "number", digits=0),
                    Column("share", "share"),
                ),
                [(width, height, count, count / len(every)) for (width, height), count in usual],
                note=f"{len(usual):,} different sizes occur.",
                shown=8,
            ),
        ),
    )

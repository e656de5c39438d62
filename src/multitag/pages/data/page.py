"""The whole page, and the reading of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from multitag.data.image_check import ImageReport
from multitag.data.layout import Table
from multitag.data.summary import summarise
from multitag.encoders.cleaning import Cleaning
from multitag.pages.data.copies import copies
from multitag.pages.data.examples import examples
from multitag.pages.data.labels import labels
from multitag.pages.data.overview import overview
from multitag.pages.data.pictures import pictures
from multitag.pages.data.problems import problems
from multitag.pages.data.split import Split, Splits
from multitag.pages.data.texts import texts
from multitag.report import Page, Section, Thumbnails


def data_page(
    tables: Sequence[tuple[Table, ImageReport]],
    *,
    cleaning: Cleaning | None = None,
    thumbnails: Thumbnails | None = None,
) -> Page:
    """The page on one or several tables.

    Args:
        tables: Each with the report of `check_images` on its samples, fingerprints included; the first is the one to
            train on.
        cleaning: The cleaning of texts that lengths are compared by; that of seed 003 by default.
        thumbnails: Makes the pictures.
    """
    made = thumbnails or Thumbnails()
    names = _names([table for table, _ in tables])
    splits = Splits(
        [
            Split(name, table, images, summarise(table, images))
            for name, (table, images) in zip(names, tables, strict=True)
        ]
    )
    rest: list[Section | None] = [
        labels(splits),
        texts(splits, cleaning or Cleaning()),
        pictures(splits),
        copies(splits, made),
        problems(splits, made),
    ]
    # Pictures of copies and problems are for acting on: they come before examples where the budget is short.
    rest.insert(3, examples(splits, made))
    notes = [made.note] if any(split.images.sizes for split in splits.all) else []
    sections = [overview(splits, notes), *(section for section in rest if section is not None)]
    rows = sum(len(split.samples) for split in splits.all)
    return Page(
        title=f"Data: {', '.join(names)}",
        subtitle=f"{rows:,} rows, {len(splits.labels):,} labels",
        sections=sections,
        facts=tuple((name, str(table.path or table.name)) for name, (table, _) in zip(names, tables, strict=True)),
    )


def _names(tables: Sequence[Table]) -> list[str]:
    """A short name for each: the file's stem, its whole name or path where stems are the same."""
    files = [table.path or Path(table.name) for table in tables]
    for short in (lambda file: file.stem, lambda file: file.name, str):
        names = [short(file) for file in files]
        if len(set(names)) == len(names):
            return names
    return [f"{file} ({place})" for place, file in enumerate(files, 1)]

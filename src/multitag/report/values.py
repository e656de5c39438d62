"""A page's numbers: JSON values by section and name, and tables for CSV."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from multitag.report.blocks import (
    Beside,
    Block,
    Chart,
    Choice,
    Entry,
    Gallery,
    Interactive,
    Numbers,
    Table,
    Text,
    Thumbnail,
    Tiles,
)
from multitag.report.page import Page


def to_json(page: Page) -> dict[str, Any]:
    """The page's numbers as JSON values: ``sections``, by the names of sections, choices and blocks."""
    sections: dict[str, Any] = {}
    for section in page.sections:
        inner: dict[str, Any] = sections.setdefault(section.name, {})
        for entry in entries(section.blocks):
            place = inner
            for name in entry.path[:-1]:
                place = place.setdefault(name, {})
            place[entry.path[-1]] = strict(entry.value)
    return {
        "title": page.title,
        "subtitle": page.subtitle,
        "facts": dict(page.facts),
        "sections": sections,
    }


def to_tables(page: Page) -> dict[str, Numbers]:
    """Every table, chart and set of tiles by the name of its CSV file, without its ending."""
    tables: dict[str, Numbers] = {}
    for section in page.sections:
        for entry in entries(section.blocks):
            if entry.numbers is not None:
                name = stem = "-".join(slug(part) for part in (section.name, *entry.path))
                again = 2
                while name in tables:
                    name, again = f"{stem}-{again}", again + 1
                tables[name] = entry.numbers
    return tables


def entries(blocks: Iterable[Block], path: tuple[str, ...] = ()) -> Iterator[Entry]:
    """The numbers of blocks, those inside others included."""
    for block in blocks:
        here = (*path, block.name)
        match block:
            case Text():
                pass
            case Beside():
                yield from entries(block.blocks, path)
            case Choice():
                for name, inner in block.options.items():
                    yield from entries(inner, (*here, name))
            case Tiles():
                rows = [(tile.name, tile.value, tile.note) for tile in block.tiles]
                yield Entry(
                    here, {tile.name: tile.value for tile in block.tiles}, Numbers(("name", "value", "note"), rows)
                )
            case Gallery():
                yield Entry(
                    here,
                    [
                        {"where": picture.where, "caption": picture.caption, "labels": list(picture.labels)}
                        for picture in block.pictures
                    ],
                )
            case Table():
                yield _table(here, Numbers(tuple(column.name for column in block.columns), block.rows))
            case Chart():
                yield _table(here, block.numbers)
            case Interactive():
                yield Entry(here, block.payload) if block.numbers is None else _table(here, block.numbers)


def _table(path: tuple[str, ...], numbers: Numbers) -> Entry:
    plain = Numbers(numbers.columns, [[_cell(cell) for cell in row] for row in numbers.rows])
    return Entry(path, [dict(zip(plain.columns, row, strict=True)) for row in plain.rows], plain)


def _cell(cell: Any) -> Any:
    """A cell without its pictures: their names."""
    if isinstance(cell, Thumbnail):
        return cell.name
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        return [_cell(part) for part in cell]
    return cell


def strict(value: Any) -> Any:
    """A value in what JSON has: numpy's numbers become Python's, NaN and infinities `None`."""
    if isinstance(value, Mapping):
        return {str(key): strict(inner) for key, inner in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return strict(value.tolist())
    return [strict(inner) for inner in value]


def slug(name: str) -> str:
    """A name in letters, digits and hyphens, for files and anchors."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-_")[:60] or "x"

"""A page to its files: HTML, JSON, and a folder of CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from multitag.errors import ConfigError
from multitag.report.page import Page
from multitag.report.values import strict, to_json, to_tables

LIMIT: Final = 30_000_000
"""The most bytes of the HTML file."""
FEW_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the page, its JSON, and the folder with its CSV files."""

    html: Path
    json: Path
    tables: Path


def write_page(page: Page, path: Path, *, limit: int = LIMIT) -> Written:
    """Write ``x.html``, ``x.numbers.json`` and ``x.tables/*.csv``; what was there is written over.

    A page over the limit is written without its pictures, then with few rows a table, and says so.

    Args:
        page: The page.
        path: The HTML file.
        limit: The most bytes of it.

    Raises:
        ConfigError: The name is not that of an HTML file.
    """
    from multitag.report.render import render

    written = paths_of(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    html = render(page).encode("utf-8")
    if len(html) > limit:
        html = render(page, pictures=False).encode("utf-8")
    if len(html) > limit:
        html = render(page, pictures=False, rows=FEW_ROWS).encode("utf-8")
    path.write_bytes(html)
    values = json.dumps(to_json(page), ensure_ascii=False, indent=1, allow_nan=False)
    written.json.write_text(values + "\n", "utf-8")
    written.tables.mkdir(exist_ok=True)
    for name, numbers in to_tables(page).items():
        with (written.tables / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(numbers.columns)
            writer.writerows([_cell(cell) for cell in row] for row in numbers.rows)
    return written


def paths_of(path: Path) -> Written:
    """The files that a page is written to, before the work starts.

    Raises:
        ConfigError: The name is not that of an HTML file.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"a report is an HTML file, and {path} does not end in .html. Fix: {path.name}.html")
    return Written(path, path.with_suffix(".numbers.json"), path.with_suffix(".tables"))


def _cell(cell: Any) -> Any:
    cell = strict(cell)
    return " | ".join(map(str, cell)) if isinstance(cell, Sequence) and not isinstance(cell, str) else cell

"""What commands print: tables and JSON to standard output, progress and warnings to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from multitag.progress import Advance, Progress, silent


def console() -> Console:
    """Standard output, as wide as the terminal, at least 100 columns in a pipe."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=max(100, plain.width))


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, left: int = 1) -> None:
    """A table whose first `left` columns are left-aligned, the others right."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console().print(table)


def print_pairs(title: str, pairs: Mapping[str, Any]) -> None:
    """A table of names and values."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, str(value))
    console().print(table)


@contextmanager
def _bar(what: str, total: int, /) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.advance(task, done)


@contextmanager
def _lines(what: str, total: int, /) -> Iterator[Advance]:
    """Progress for a log: a line when the work starts, and one at each tenth of it."""
    import time

    started, done, told = time.monotonic(), 0, 0

    def advance(more: int) -> None:
        nonlocal done, told
        done += more
        tenth = done * 10 // max(total, 1)
        if tenth > told and total >= 100:
            told = tenth
            spent = time.monotonic() - started
            left = spent * (total - done) / max(done, 1)
            sys.stderr.write(f"{what}: {done}/{total}, {spent:.0f} s, about {left:.0f} s left\n")

    yield advance


def progress(*, quiet: bool) -> Progress:
    """A progress bar with what is left in a terminal, lines in a log, nothing where quiet was asked for."""
    if quiet:
        return silent
    return _bar if sys.stderr.isatty() else _lines

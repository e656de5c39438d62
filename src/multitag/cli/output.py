"""What commands print: tables and JSON to standard output, progress and warnings to standard error."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from multitag.progress import Advance, Progress, silent

LOG_SECONDS = 5.0
"""In a log, progress is told no more often than this."""
SHORT_SECONDS = 1.0
"""Work that took no longer leaves no trace: an ensemble's prediction of one row has dozens of such pieces."""


def console() -> Console:
    """Standard output, as wide as the terminal, at least 100 columns in a pipe."""
    plain = Console(highlight=False)
    return plain if plain.is_terminal else Console(highlight=False, width=max(100, plain.width))


def say(text: str) -> None:
    """A line as it stands: nothing in it is markup, and a command in it can be copied whole."""
    console().print(text, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, left: int = 1) -> None:
    """A table whose first `left` columns are left-aligned, the others right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < left else "right", overflow="fold")
    _print(title, table, rows)


def print_pairs(title: str, pairs: Mapping[str, Any]) -> None:
    """A table of names and values."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(overflow="fold")
    _print(title, table, list(pairs.items()))


def print_commands(commands: Mapping[str, str]) -> None:
    """What to type next, each command on one line however long it is."""
    wide = max(len(what) for what in commands)
    for what, command in commands.items():
        say(f" {what:<{wide}}   {command}")


def _print(title: str, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """The title on a line of its own, then the table; cells are the user's words, and nothing in them is markup."""
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    out = console()
    with out.capture() as captured:
        out.print(Text(title, style="bold"), soft_wrap=True)
        out.print(table)
    sys.stdout.write("\n".join(line.rstrip() for line in captured.get().split("\n")))


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
        bars.live.transient = (bars.tasks[task].elapsed or 0.0) < SHORT_SECONDS


@contextmanager
def _lines(what: str, total: int, /) -> Iterator[Advance]:
    """Progress for a log: a line every few seconds, and one when the work is done, if it took a while."""
    started = told = time.monotonic()
    done = 0
    first: tuple[float, int] | None = None

    def advance(more: int) -> None:
        nonlocal done, told, first
        done += more
        now = time.monotonic()
        # The first report is of what a training that is resumed had done before, or of work that had to warm up.
        since, before = first or (started, 0)
        first = first or (now, done)
        if now - told >= LOG_SECONDS and done < total:
            told = now
            left = (now - since) * (total - done) / max(done - before, 1)
            sys.stderr.write(f"{what}: {done} of {total}, {now - started:.0f} s, about {left:.0f} s left\n")

    yield advance
    took = time.monotonic() - started
    if total and took >= SHORT_SECONDS:
        sys.stderr.write(f"{what}: {done} of {total}, {took:.0f} s\n")


def progress(*, quiet: bool) -> Progress:
    """A progress bar with what is left in a terminal, lines in a log, nothing where quiet was asked for."""
    if quiet:
        return silent
    return _bar if sys.stderr.isatty() else _lines


def teller(*, quiet: bool) -> Callable[[str], None]:
    """Lines to standard error, beside the progress; none where quiet was asked for."""

    def tell(line: str) -> None:
        if not quiet:
            sys.stderr.write(line + "\n")

    return tell

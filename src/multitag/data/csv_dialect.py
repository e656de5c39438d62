"""Which way a CSV file is written: separator, header and grammar, decided once for the whole file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Literal

from multitag.data import csv_grammar
from multitag.data.csv_grammar import Quoting
from multitag.data.csv_scan import Records, scan
from multitag.errors import DataError

Blocks = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV file: its names, the separator, and where the rows start."""

    names: tuple[str, ...]
    separator: str
    length: int
    lines: int

    def rows(self, blocks: Iterable[str]) -> Iterator[str]:
        """The text after the header."""
        skip = self.length
        for block in blocks:
            yield block[skip:]
            skip = 0


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the rows of a CSV file are written.

    Attributes:
        kind: RFC 4180, no quoting at all, or quoted with inner quotes left as they are.
        grammar: The pattern of `csv_grammar` that reads it.
        undouble: Whether doubled quotes inside quotes stand for one.
        notes: What a user should know of it.
    """

    kind: Literal["rfc4180", "plain", "tolerant"]
    grammar: re.Pattern[str]
    undouble: bool
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Census:
    """What a strict reading finds in a file that is not strict: which columns are quoted."""

    quoted: list[int]
    bare: list[int]
    tails: list[int]
    doubled: int = 0
    faulty: int = 0
    first_fault: int = 0

    def add(self, records: Records) -> None:
        # From one broken cell's end to the next one's start there may be what looks like a cell over lines:
        # records of one line are evidence, others only where there is nothing else.
        single = ["\n" not in "".join(cells) for cells in zip(*records.fields, strict=True)]
        for k, field in enumerate(records.fields):
            cells = field if all(single) or not any(single) else tuple(compress(field, single))
            # No text holds a NUL (text_blocks), so this counts cells at the speed of a substring search.
            column = "\0" + "\0".join(cells)
            quoted = column.count('\0"')
            self.quoted[k] += quoted
            self.bare[k] += len(cells) - quoted
            if quoted < len(cells):
                tails = sum(cell[-1:] == '"' and cell[0] != '"' for cell in cells)
                self.bare[k] -= tails
                self.tails[k] += tails
            if '""' in column:
                self.doubled += sum('""' in cell[1:-1] and cell[0] == '"' for cell in cells)
        self.faulty += len(records.faulty)
        if records.faulty and not self.first_fault:
            self.first_fault = records.faulty[0][0]

    def quoting(self) -> list[Quoting]:
        counts = zip(self.quoted, self.bare, self.tails, strict=True)
        return [_quoting(quoted, bare, tails) for quoted, bare, tails in counts]


def _quoting(quoted: int, bare: int, tails: int) -> Quoting:
    """A cell that only ends in a quote is a broken one's tail, unless those are as common as quoted ones."""
    if quoted > tails and not bare:
        return "always"
    return "never" if not quoted else "mixed"


def read_header(name: str, blocks: Iterable[str], separator: str | None = None) -> Header:
    """The names in the first line, which may itself be quoted.

    Args:
        name: The file, for messages.
        blocks: Its text.
        separator: The cells' separator; without it the first of comma, semicolon, tab and bar that the line
            holds.

    Raises:
        DataError: No header, or a name that stands in it twice.
    """
    text = next(iter(blocks), "")
    blank = re.match(r"\s*", text)
    start = blank.end() if blank else 0
    unquoted = re.sub(r'"[^"]*"', "", text[start : text.find("\n", start) + 1 or len(text)])
    found = separator or next((mark for mark in ",;\t|" if mark in unquoted), ",")
    names: list[str] = []
    field = re.compile(rf'("(?:[^"]|"")*"|[^{re.escape(found)}\r\n]*)(?:({re.escape(found)})|\r?\n|\Z)')
    position = start
    while (match := field.match(text, position)) is not None:
        cell = match[1]
        names.append((cell[1:-1].replace('""', '"') if cell.startswith('"') else cell).strip())
        position = match.end()
        if not match[2]:
            break
    if not any(names):
        raise DataError(f"{name} has no header: its first line must name the columns, e.g. 'image,labels,caption'.")
    twice = sorted({column for column in names if names.count(column) > 1})
    if twice:
        raise DataError(f"{name}:1 names a column more than once: {', '.join(map(repr, twice))}. Rename one of them.")
    return Header(tuple(names), found, position, text.count("\n", 0, position))


def read_dialect(name: str, header: Header, blocks: Blocks) -> Dialect:
    """How the rows are written, from one look at all of them.

    A file in which every record is RFC 4180 with the header's number of fields is RFC 4180. Otherwise one
    without a column that is always quoted, in which every line splits into that number of fields, is plain.
    Anything else is read tolerantly, and there doubled quotes are taken for one only where they are commoner
    than undoubled ones.
    """
    width = len(header.names)
    strict = csv_grammar.strict(width, header.separator)
    census = _Census([0] * width, [0] * width, [0] * width)
    for records in scan(header.rows(blocks()), strict, header.lines + 1):
        census.add(records)
    if not census.faulty:
        return Dialect("rfc4180", strict, undouble=True)
    quoting = census.quoting()
    plain = csv_grammar.plain(width, header.separator)
    if "always" not in quoting and not any(records.faulty for records in scan(header.rows(blocks()), plain)):
        return Dialect("plain", plain, undouble=False)
    undouble = census.doubled > census.faulty
    notes = [f"{name}:{census.first_fault} and maybe others have quotes that are not doubled; read as written"]
    if census.doubled:
        notes.append(f"{census.doubled} cells hold doubled quotes, {'read as one' if undouble else 'kept as they are'}")
    grammar = csv_grammar.tolerant(quoting, header.separator)
    return Dialect("tolerant", grammar, undouble, tuple(notes))


def unquoted(cells: Sequence[str], dialect: Dialect) -> list[str]:
    """Cells without their quotes."""
    if dialect.kind == "rfc4180":
        return [cell[1:-1].replace('""', '"') if cell[:1] == '"' else cell for cell in cells]
    if dialect.kind == "plain":
        return [cell[1:-1] if len(cell) > 1 and cell[0] == '"' == cell[-1] else cell for cell in cells]
    if not dialect.undouble:
        return [cell[1:-1] if cell[:1] == '"' else cell for cell in cells]
    return [_undoubled(cell[1:-1]) if cell[:1] == '"' else cell for cell in cells]


def _undoubled(inner: str) -> str:
    return inner if '"' in inner.replace('""', "") else inner.replace('""', '"')

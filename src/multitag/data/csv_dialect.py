"""Which way a CSV file is written: separator, header and grammar, decided once for the whole file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from multitag.data import csv_grammar
from multitag.data.csv_census import Census
from multitag.data.csv_scan import scan
from multitag.data.texts import Texts
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


def strict_dialect(header: Header) -> Dialect:
    """RFC 4180 with the header's number of fields."""
    return Dialect("rfc4180", csv_grammar.strict(len(header.names), header.separator), undouble=True)


def read_dialect(name: str, header: Header, blocks: Blocks) -> Dialect:
    """How the rows are written, from one look at all of them.

    A file in which every record is RFC 4180 with the header's number of fields is RFC 4180. Otherwise one
    without a column that is always quoted, in which every line splits into that number of fields, is plain.
    Anything else is read tolerantly, and there doubled quotes are taken for one only where they are commoner
    than undoubled ones.
    """
    width = len(header.names)
    mark, strict = header.separator, strict_dialect(header)
    census = Census([0] * width, [0] * width, [0] * width)
    for records in scan(header.rows(blocks()), strict.grammar, header.lines + 1, separator=mark):
        census.add(records)
    if not census.faulty:
        return strict
    quoting = census.quoting()
    plain = csv_grammar.plain(width, mark)
    if "always" not in quoting and not any(
        records.faulty for records in scan(header.rows(blocks()), plain, separator=mark)
    ):
        return Dialect("plain", plain, undouble=False)
    undouble = census.doubled > census.faulty
    notes = [f"{name}:{census.first_fault} and maybe others have quotes that are not doubled; read as written"]
    if census.doubled:
        notes.append(f"{census.doubled} cells hold doubled quotes, {'read as one' if undouble else 'kept as they are'}")
    grammar = csv_grammar.tolerant(quoting, mark)
    return Dialect("tolerant", grammar, undouble, tuple(notes))


def unquoted(cells: Sequence[str], dialect: Dialect) -> Sequence[str]:
    """Cells without their quotes."""
    if isinstance(cells, Texts) and not (dialect.undouble and cells.hold('""')):
        return cells.unquoted()
    together = "".join(cells)
    if '"' not in together:
        return list(cells)
    if dialect.kind == "plain":
        return [cell[1:-1] if len(cell) > 1 and cell[0] == '"' == cell[-1] else cell for cell in cells]
    if not dialect.undouble or '""' not in together:
        return [cell[1:-1] if cell[:1] == '"' else cell for cell in cells]
    if dialect.kind == "rfc4180":
        return [cell[1:-1].replace('""', '"') if cell[:1] == '"' else cell for cell in cells]
    return [_undoubled(cell[1:-1]) if cell[:1] == '"' else cell for cell in cells]


def _undoubled(inner: str) -> str:
    return inner if '"' in inner.replace('""', "") else inner.replace('""', '"')

r"""The three ways in which people write CSV, each as one regular expression over the whole text.

`strict` is RFC 4180: a field that opens with a quote ends at its closing quote, inner quotes are doubled.
`plain` has no quoting: each line is a record, a quote is a character (pairs around a whole cell are taken
off). `tolerant` is what naive writers leave behind: a quoted field ends at the quote that stands before a
separator and what can be the rest of a record (or, in the last column, before a line end and what can be the
next record); inner quotes stay. It leans on the columns that are always or never quoted, so a line break or a
separator inside a cell is not taken for the end of a record, and a quote that never closes does not swallow
the rows that follow.

Every pattern matches at every position (a record, a blank line, a run, or one faulty line), never backtracks over a
cell, and yields the groups: the whole match, the blank line, the run, one per field, the faulty line. A run is what
makes most of a file cheap: records of one line each without a quote but around cells, as many as follow one another,
which would be the same records one by one. What repeats a group stands in an atomic group, ``(?>(?:...)*)``: the
shorter ``(?:...)*+`` loses its place in Python before 3.11.5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

Quoting = Literal["always", "never", "mixed"]
Match: TypeAlias = tuple[str, ...]
BLANK, RUN, FIELDS = 1, 2, 3
"""The groups of a match after the whole: then one per field, and last the faulty line."""

_STRICT_QUOTED = r'"[^"]*+(?>(?:""[^"]*+)*)"'
_LINE_END = r"(?:\r?\n|\Z)"


def strict(fields: int, separator: str, *, runs: bool = True) -> re.Pattern[str]:
    """Records of exactly `fields` fields as RFC 4180 has them; `runs`: several in one match where they are simple."""
    run = _line(["mixed"] * fields, separator) if runs else None
    return _compile([f"{_STRICT_QUOTED}|{_bare(separator)}"] * fields, separator, run)


def plain(fields: int, separator: str, *, runs: bool = True) -> re.Pattern[str]:
    """Records of exactly `fields` fields, one a line, quotes without a meaning; `runs` as of `strict`."""
    run = _line(["never"] * fields, separator) if runs else None
    return _compile([_bare(separator, quote_may_open=True)] * fields, separator, run)


def tolerant(quoting: Sequence[Quoting], separator: str, *, runs: bool = True) -> re.Pattern[str]:
    """Records of ``len(quoting)`` fields whose inner quotes nobody doubled; `runs` as of `strict`."""
    record = _opening(quoting, separator)
    fields = []
    for k, column in enumerate(quoting):
        rest = quoting[k + 1 :]
        after = re.escape(separator) + _opening(rest, separator) if rest else rf"(?>(?:[ ]*+\r?\n)+){record}|\s*+\Z"
        inner = rf'[^"\n]*+(?>(?:(?:"(?!{after})|\n(?!{record}))[^"\n]*+)*)'
        quoted = rf'"{inner}"(?={after})'
        fields.append({"always": quoted, "never": _bare(separator)}.get(column, f"{quoted}|{_bare(separator)}"))
    # A line's last quote closes its cell only where the next line can be a record.
    run = f"{_line(quoting, separator)}(?={record})" if runs else None
    return _compile(fields, separator, run)


def _line(quoting: Sequence[Quoting], separator: str) -> str:
    """A line of simple cells: quoted ones without line breaks, and no quote in any."""
    bare, quoted = rf'[^"{re.escape(separator)}\r\n]*+', r'"[^"\n]*+"'
    cells = {"always": quoted, "never": bare, "mixed": f"(?:{quoted}|{bare})"}
    return re.escape(separator).join(cells[column] for column in quoting) + r"\r?\n"


def _bare(separator: str, *, quote_may_open: bool = False) -> str:
    run = rf"[^{re.escape(separator)}\r\n]*+"
    guard = "" if quote_may_open else '(?!")'
    return rf"{guard}{run}(?>(?:\r(?!\n){run})*)"


def _opening(quoting: Sequence[Quoting], separator: str) -> str:
    """What the rest of a record looks like from a field's start, up to the first quote or the line's end."""
    column, rest = quoting[0], quoting[1:]
    follows = re.escape(separator) + _opening(rest, separator) if rest else _LINE_END
    bare = _bare(separator) + follows
    return {"always": '"', "never": bare}.get(column, f'(?:"|{bare})')


def _compile(fields: Sequence[str], separator: str, run: str | None) -> re.Pattern[str]:
    blank = r"[ ]*+\r?\n|[ ]++\Z"
    # In a table of one column, a run would take blank lines for rows.
    several = rf"(?>(?:{run})+)" if run and len(fields) > 1 else "(?!)"
    record = re.escape(separator).join(f"({field})" for field in fields)
    return re.compile(rf"(?!\Z)(({blank})|({several})|{record}{_LINE_END}|([^\n]*+(?:\n|\Z)))")

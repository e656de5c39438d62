"""Texts cut into the cells of a terminal, and into lines of them."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from rich.cells import split_graphemes

_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


class Cell(NamedTuple):
    """Characters `start` up to, not including, `stop` of a text, as they are shown, and how many columns they take."""

    start: int
    stop: int
    shown: str
    width: int


def lines_of(text: str, width: int, encoding: str = "utf-8") -> list[list[Cell]]:
    """The lines of a text, none wider than `width` columns, cut at spaces where there are any.

    What is written as one sign is one cell: a letter with its accents, an emoji of several parts; wide letters take two
    columns. A tab is shown as a space. Characters that would move the cursor or turn the direction of what follows are
    not shown, so that columns stay where they are.

    Args:
        text: The text.
        width: At least 2.
        encoding: What the terminal can show; a question mark stands for the rest.
    """
    lines = []
    start = 0
    for stop, after in [*((m.start(), m.end()) for m in _LINE_BREAK.finditer(text)), (len(text), len(text))]:
        lines += _wrapped(_cells(text[start:stop].replace("\t", " "), start, encoding), width)
        start = after
    return lines


def right_to_left(text: str) -> bool:
    """Whether letters of the text run from right to left: many terminals then reorder the whole line."""
    return any(unicodedata.bidirectional(each) in ("R", "AL") and each.isalpha() for each in text)


def _cells(line: str, offset: int, encoding: str) -> list[Cell]:
    found = []
    for start, stop, width in split_graphemes(line)[0]:
        shown = "".join(map(_shown, line[start:stop]))
        columns = width if shown else 0
        if shown.encode(encoding, "replace").decode(encoding) != shown:
            shown, columns = ("?", 1) if columns else ("", 0)
        found.append(Cell(start + offset, stop + offset, shown, columns))
    return found


def _shown(character: str) -> str:
    """The character, or nothing where it would steer the terminal; joiners within emoji stay."""
    steers = unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in "\u200c\u200d"
    return "" if steers and not "\U000e0020" <= character <= "\U000e007f" else character


def _wrapped(cells: list[Cell], width: int) -> list[list[Cell]]:
    lines, first, used, space = [], 0, 0, -1
    for place, cell in enumerate(cells):
        if used + cell.width > width:
            cut = space + 1 if space >= first else place
            lines.append(cells[first:cut])
            first, used, space = cut, sum(each.width for each in cells[cut:place]), -1
        used += cell.width
        if cell.shown == " ":
            space = place
    return [*lines, cells[first:]]

"""Texts in a terminal, their spans marked on lines of their own below the words: overlapping ones stay readable."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from rich.text import Text

from multitag.cli import output
from multitag.cli.cells import Cell, lines_of, right_to_left
from multitag.span_layers import Segment, layers
from multitag.types import Span

_LETTERS = string.ascii_lowercase + string.ascii_uppercase + string.digits
_COLOURS = ("red", "blue", "green", "magenta", "cyan", "yellow", "bright_red", "bright_blue", "bright_green")
_WIDEST = 100
"""Columns of text: longer lines are hard to read."""
_PLAIN = 1
"""Lines without a mark that are shown before and after one that has some."""


@dataclass(frozen=True)
class MarkedText:
    """A text and the spans to be shown of it.

    Attributes:
        name: What names the row.
        text: The text.
        sides: By what is written beside them, such as ``"gold"``, the spans.
    """

    name: str
    text: str
    sides: Mapping[str, Sequence[Span]]


def print_marked(title: str, texts: Sequence[MarkedText]) -> None:
    """Print texts with their spans, and what the letters stand for; nothing where there is no text.

    Plain ASCII marks where there is no colour: a file, a pipe, NO_COLOR.
    """
    if not texts:
        return
    out = output.console()
    plain = out.no_color or out.color_system is None or "utf" not in out.encoding
    names = sorted({span.label for text in texts for spans in text.sides.values() for span in spans})
    draw = Drawing(tuple(names), min(out.width, _WIDEST), line="-" if plain else "━", encoding=out.encoding)
    lines = [Text(title, style="bold"), Text()]
    for text in texts:
        lines += [*draw.text(text), Text()]
    for line in [*lines, *draw.legend()]:
        out.print(line, soft_wrap=True)


@dataclass(frozen=True)
class Drawing:
    """How texts are drawn: each label has a letter and a colour, on every text the same.

    Attributes:
        names: The labels.
        width: Columns there are.
        line: What a mark is drawn with after its letter.
        encoding: What the terminal can show.
    """

    names: tuple[str, ...]
    width: int
    line: str = "-"
    encoding: str = "utf-8"

    def letter(self, name: str) -> str:
        """What a label's marks begin with."""
        place = self.names.index(name)
        return _LETTERS[place] if place < len(_LETTERS) else "*"

    def colour(self, name: str) -> str:
        """The colour of a label's marks."""
        return _COLOURS[self.names.index(name) % len(_COLOURS)]

    def legend(self) -> list[Text]:
        """A line for each label: its letter and its name."""
        return [Text(f" {self.letter(name)}  ").append(name, self.colour(name)) for name in self.names]

    def text(self, marked: MarkedText) -> list[Text]:
        """The lines of a text, below each its marks, each side's name in the margin.

        A text with letters from right to left is followed by its spans, a line each: terminals reorder such lines, and
        marks below them would stand under other words.
        """
        margin = max(len(side) for side in marked.sides) + 3
        lines = lines_of(marked.text, max(self.width - margin, 20), self.encoding)
        sides = {side: layers(marked.text, spans) for side, spans in marked.sides.items()}
        first = next(iter(sides.values()), [])
        listed = right_to_left(marked.text)
        drawn = []
        for line in lines:
            words = Text(" " * margin).append(self._coloured(line, first))
            words.rstrip()
            marks = [] if listed else [mark for side, rows in sides.items() for mark in self._marks(side, rows, line)]
            drawn.append([words, *(Text(f" {side:<{margin - 1}}").append(mark) for side, mark in marks)])
        found = [Text(f" {marked.name}", style="bold"), *_shortened(drawn, margin, whole=listed)]
        for side, rows in sides.items():
            found += [Text(f" {side:<{margin - 1}}").append("(none)", "dim")] if not rows else []
            found += self._list(side, rows, marked.text, margin) if listed else []
        return found

    def _coloured(self, line: Sequence[Cell], rows: Sequence[Sequence[Segment]]) -> Text:
        """The words of a line, each in the colour of the innermost span that holds it."""
        words = Text()
        for name, cells in groupby(line, lambda cell: _innermost(rows, cell)):
            words.append("".join(cell.shown for cell in cells), None if name is None else self.colour(name))
        return words

    def _marks(self, side: str, rows: Sequence[Sequence[Segment]], line: Sequence[Cell]) -> list[tuple[str, Text]]:
        """A line of marks for each row that has any here."""
        marks = []
        for row in rows:
            drawn = Text()
            for here, cells in groupby(line, partial(_segment, row)):
                columns = sum(cell.width for cell in cells)
                if here is None or here.label is None or not columns:
                    drawn.append(" " * columns)
                else:
                    drawn.append(self.letter(here.label) + self.line * (columns - 1), self.colour(here.label))
            if drawn.plain.strip():
                drawn.rstrip()
                marks.append((side, drawn))
        return marks

    def _list(self, side: str, rows: Sequence[Sequence[Segment]], text: str, margin: int) -> list[Text]:
        spans = sorted(segment for row in rows for segment in row if segment.label is not None)
        room = max(self.width - margin - 3, 20)
        found = []
        for start, stop, label in spans:
            cells = [cell for line in lines_of(text[start:stop], room, self.encoding)[:1] for cell in line]
            words = "".join(cell.shown for cell in cells) + (" ..." if cells and cells[-1].stop < stop - start else "")
            letter = self.letter(str(label)) + self.line
            found.append(Text(f" {side:<{margin - 1}}").append(f"{letter} {words}", self.colour(str(label))))
        return found


def _segment(row: Sequence[Segment], cell: Cell) -> Segment | None:
    """The span of a row that shares a character with a cell."""
    return next(
        (each for each in row if each.label is not None and each.start < cell.stop and each.stop > cell.start), None
    )


def _innermost(rows: Sequence[Sequence[Segment]], cell: Cell) -> str | None:
    found = [segment.label for row in rows if (segment := _segment(row, cell)) is not None]
    return found[-1] if found else None


def _shortened(drawn: Sequence[Sequence[Text]], margin: int, *, whole: bool) -> list[Text]:
    """The lines, those far from any mark left out; of a text without any, the first ones."""
    marked = [place for place, lines in enumerate(drawn) if len(lines) > 1] or [0]
    found: list[Text] = []
    gap = False
    for place, lines in enumerate(drawn):
        near = whole or any(abs(place - each) <= _PLAIN for each in marked)
        if near:
            found += lines
        elif not gap:
            found.append(Text(" " * margin + "..."))
        gap = not near
    return found

"""What pages are made of: plain data that is rendered to HTML and written as JSON and CSV, the same objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Numbers:
    """A plain table of values: what a CSV file holds."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture as bytes of a web format, and the name of the picture that it shows."""

    data: bytes
    width: int
    height: int
    name: str
    mime: str = "image/webp"


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``"note"`` and ``"warning"`` stand out from the text around them."""

    text: str
    tone: Literal["plain", "note", "warning"] = "plain"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: its name, its value (numbers are written with their thousands apart), and a few words below."""

    name: str
    value: int | float | str
    note: str = ""
    tone: Literal["plain", "warning"] = "plain"


@dataclass(frozen=True, slots=True)
class Tiles:
    """Figures that a reader should see first."""

    name: str
    tiles: Sequence[Tile]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its header.
        kind: What its cells hold: text; a number; a share (0 to 1, shown in per cent with a bar); labels (a sequence
            of names, shown as chips); a picture (a `Thumbnail`, or several).
        digits: Decimals of a number or of a share's per cent.
        choice: Offer the values as a list to choose from rather than a field to type in. Labels always do.
        help: A sentence shown when the header is pointed at.
    """

    name: str
    kind: Literal["text", "number", "share", "labels", "picture"] = "text"
    digits: int = 3
    choice: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table to sort and filter; cells are `None` where there is no value.

    Attributes:
        name: Its title.
        columns: Its columns.
        rows: Its rows, a cell a column.
        note: A sentence below the title.
        limit: The most rows that the page holds; the CSV has all, and the page says so.
        shown: Rows shown before "more" is asked for.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    limit: int = 2000
    shown: int = 25


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as plotly's traces and layout, and its numbers; made by the functions of `multitag.report.charts`.

    Attributes:
        name: Its title.
        traces: Plotly's traces, plain JSON values; strings in them are shown as they stand.
        layout: What differs from the page's own layout.
        numbers: What is drawn, in words and numbers.
        note: A sentence below the title.
        height: In pixels.
        width: The most pixels; as wide as the page without it.
    """

    name: str
    traces: Sequence[Mapping[str, Any]]
    layout: Mapping[str, Any]
    numbers: Numbers
    note: str = ""
    height: int = 320
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a gallery; the thumbnail is `None` where the budget was spent."""

    thumbnail: Thumbnail | None
    caption: str = ""
    labels: Sequence[str] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures side by side, with their captions and labels."""

    name: str
    pictures: Sequence[Picture]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """Blocks next to each other where the page is wide enough."""

    blocks: Sequence[Block]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One group of blocks out of several, by name: the first is shown until another is chosen."""

    name: str
    options: Mapping[str, Sequence[Block]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Interactive:
    """A part with a script of its own.

    Attributes:
        name: Its title.
        payload: JSON values that the script gets.
        script: The body of a JavaScript function of `root` (the element that holds the markup), `payload` and `tools`
            (see `templates/interactive.js`: plot, table, thumbnails, numbers). Our own code, never a user's words.
        markup: HTML inside `root`; our own too.
        numbers: What goes to JSON and CSV, if the payload itself is not for reading.
        note: A sentence below the title.
    """

    name: str
    payload: Any
    script: str
    markup: str = ""
    numbers: Numbers | None = None
    note: str = ""


Block: TypeAlias = "Text | Tiles | Table | Chart | Gallery | Beside | Choice | Interactive"


@dataclass(frozen=True, slots=True)
class Entry:
    """A block's numbers under its name, as `values.entries` lists them.

    Attributes:
        path: The names that lead to the block.
        value: JSON values.
        numbers: The same as a table, where it is one.
    """

    path: tuple[str, ...]
    value: Any
    numbers: Numbers | None = field(default=None)

"""A page to HTML: one Jinja2 template with autoescape, and the data as JSON that the page's scripts read."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from multitag import __version__
from multitag.report.blocks import Chart, Interactive, Table, Thumbnail
from multitag.report.page import Page
from multitag.report.values import slug, strict

if TYPE_CHECKING:
    from jinja2 import Environment

SCRIPTS: Final = ("base", "theme", "pictures", "tables", "charts", "choices", "interactive", "start")
LONG: Final = 600
"""Characters of a cell that the page shows; its CSV has all."""


def render(page: Page, *, pictures: bool = True, rows: int | None = None) -> str:
    """The page as one HTML file.

    Args:
        page: The page.
        pictures: Without them the page says that they are missing.
        rows: The most rows of any table, if fewer than its own limit.
    """
    data = _Data(pictures, rows)
    environment = _environment()
    environment.globals.update(data=data)
    return environment.get_template("page.html.j2").render(
        page=page,
        version=__version__,
        anchors=[f"{slug(section.name)}-{place}" for place, section in enumerate(page.sections)],
        style=_file("page.css"),
        plotly=files("multitag.report").joinpath("vendored/plotly/plotly-cartesian.min.js").read_text("utf-8"),
        scripts="\n".join(_file(f"{name}.js") for name in SCRIPTS),
        left_out=not pictures,
        few=rows,
    )


class _Data:
    """What the page's scripts read, collected while the template asks for each block's id."""

    def __init__(self, pictures: bool, rows: int | None) -> None:
        self.pictures, self.rows = pictures, rows
        self.blocks: list[dict[str, Any]] = []
        self.thumbnails: dict[bytes, int] = {}
        self.uris: list[str] = []

    def kind(self, block: object) -> str:
        return type(block).__name__.lower()

    def add(self, block: Table | Chart | Interactive) -> int:
        """Keep a block's data; its place is its id."""
        if isinstance(block, Table):
            value = self._table(block)
        elif isinstance(block, Chart):
            value = {
                "traces": block.traces,
                "layout": block.layout,
                "height": block.height,
                "numbers": {"columns": block.numbers.columns, "rows": block.numbers.rows[:2000]},
            }
        else:
            value = {"payload": self._shown(block.payload, cut=False)}  # arrays may be written as text
        self.blocks.append(strict(value))
        return len(self.blocks) - 1

    def thumbnail(self, picture: Thumbnail | None) -> int | None:
        """The place of a thumbnail in the page's list."""
        if picture is None or not self.pictures:
            return None
        if picture.data not in self.thumbnails:
            self.thumbnails[picture.data] = len(self.uris)
            self.uris.append(f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode('ascii')}")
        return self.thumbnails[picture.data]

    def cut(self, block: Table) -> int:
        return min(block.limit, len(block.rows), *([] if self.rows is None else [self.rows]))

    def json(self) -> str:
        """The data as JSON that may stand inside a script element."""
        text = json.dumps({"blocks": self.blocks, "thumbnails": self.uris}, ensure_ascii=False, allow_nan=False)
        for mark in "<>&\u2028\u2029":
            text = text.replace(mark, f"\\u{ord(mark):04x}")
        return text

    def _table(self, block: Table) -> dict[str, Any]:
        columns = [
            {"name": c.name, "kind": c.kind, "digits": c.digits, "choice": c.choice, "help": c.help}
            for c in block.columns
        ]
        rows = [[self._shown(cell) for cell in row] for row in block.rows[: self.cut(block)]]
        return {"columns": columns, "rows": rows, "shown": block.shown}

    def _shown(self, cell: Any, *, cut: bool = True) -> Any:
        """A cell as the page has it: pictures by their place, long texts cut."""
        if isinstance(cell, Thumbnail):
            return {"thumbnail": self.thumbnail(cell), "name": cell.name}
        if isinstance(cell, str):
            return cell[:LONG] + "…" if cut and len(cell) > LONG else cell
        if isinstance(cell, dict):
            return {key: self._shown(value, cut=cut) for key, value in cell.items()}
        if isinstance(cell, Sequence):
            return [self._shown(part, cut=cut) for part in cell]
        return cell


@cache
def _file(name: str) -> str:
    return files("multitag.report").joinpath("templates", name).read_text("utf-8")


def _environment() -> Environment:
    try:
        from jinja2 import DictLoader, Environment
    except ImportError as error:
        from multitag.errors import ConfigError

        raise ConfigError("reports need Jinja2. Fix: pip install 'multitag[report]'") from error
    environment = Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({name: _file(name) for name in ("page.html.j2", "blocks.html.j2")}),
    )
    environment.filters.update(slug=slug, figure=_figure)
    return environment


def _figure(value: float | str) -> str:
    """A number as tiles show it: thousands apart, at most four significant decimals."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"

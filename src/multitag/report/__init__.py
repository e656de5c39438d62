"""Report pages: one HTML file that needs nothing else, and its numbers as JSON and CSV beside it.

A page is plain data, made of a few kinds of block, so whoever makes a report never writes HTML::

    from multitag.report import Column, Page, Section, Table, Thumbnails, Tile, Tiles, charts, write_page

    page = Page(
        title="Run 7",
        subtitle="1,200 rows of valid.csv",
        sections=(
            Section(
                "Scores",
                (
                    Tiles("Overall", (Tile("micro F1", 0.8612, note="0.852 to 0.871"), Tile("rows", 1200))),
                    charts.bars("F1 by label", {"F1": {"cat": 0.91, "dog": 0.84}}, value="F1"),
                    Table(
                        "Labels",
                        (Column("label"), Column("rows", kind="number", digits=0), Column("F1", kind="number")),
                        (("cat", 40, 0.91), ("dog", 25, 0.84)),
                    ),
                ),
                intro="What a score means is said here, in a sentence or two.",
            ),
        ),
    )
    written = write_page(page, Path("report.html"))  # report.html, report.numbers.json, report.tables/*.csv

Blocks (`multitag.report.blocks`): `Text`, `Tiles`, `Table`, `Chart`, `Gallery`, `Beside` (blocks next to each other),
`Choice` (one group of blocks out of several, such as one a label), and `Interactive` (own markup and script over a JSON
payload: a slider, say). `multitag.report.charts` has `bars`, `histogram`, `lines`, `heat_map` and `box_plot`.
Pictures come from one `Thumbnails` a page, which keeps them small and within a budget; its `note` belongs on the page.

What holds of every page: names, captions and labels are shown as they stand, whatever they hold; nothing is loaded from
anywhere (a content security policy forbids it); colours follow the system, a button changes them, print is light; a
table in the page is cut at its `limit` and says so, its CSV never is; the file stays under `write.LIMIT` bytes.
Block names are unique within a section: they name the keys of the JSON and the CSV files.

Sources: charts are drawn by plotly.js (vendored, `vendored/plotly`), pages filled by Jinja2 with autoescape on.
"""

from multitag.report import charts
from multitag.report.blocks import (
    Beside,
    Block,
    Chart,
    Choice,
    Column,
    Gallery,
    Interactive,
    Numbers,
    Picture,
    Table,
    Text,
    Thumbnail,
    Tile,
    Tiles,
)
from multitag.report.page import Page, Section
from multitag.report.thumbnails import Thumbnails
from multitag.report.write import Written, write_page

__all__ = [
    "Beside",
    "Block",
    "Chart",
    "Choice",
    "Column",
    "Gallery",
    "Interactive",
    "Numbers",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Text",
    "Thumbnail",
    "Thumbnails",
    "Tile",
    "Tiles",
    "Written",
    "charts",
    "write_page",
]

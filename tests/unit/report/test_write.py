"""A page's files: what goes where, and what keeps them small."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from multitag.errors import ConfigError
from multitag.report import (
    Beside,
    Choice,
    Column,
    Gallery,
    Interactive,
    Numbers,
    Page,
    Picture,
    Section,
    Table,
    Text,
    Thumbnails,
    Tile,
    Tiles,
    charts,
    write_page,
)
from multitag.report.render import render
from multitag.report.values import to_json, to_tables


@pytest.fixture
def page(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    thumbnail = Thumbnails().of(tmp_path / "noise.png")
    rows = [(f"r{n}", ("x", "y"), thumbnail, float("nan")) for n in range(300)]
    columns = (Column("where"), Column("labels", "labels"), Column("picture", "picture"), Column("p", "number"))
    return Page(
        "Title",
        (
            Section(
                "Label counts",
                (
                    Text("words"),
                    Tiles("Overall", (Tile("rows", 3), Tile("F1", np.float64(0.5), "so so"))),
                    Beside((charts.bars("Counts", {"rows": {"a": 1}}, value="rows"),)),
                ),
            ),
            Section(
                "Rows",
                (
                    Table("All of them", columns, rows, limit=250),
                    Choice("By label", {"a": (Gallery("With", [Picture(thumbnail, "c", ("a",), "t:2")]),)}),
                    Interactive("Slider", {"ps": [0.1]}, "", numbers=Numbers(("p",), [(0.1,)])),
                ),
            ),
        ),
        facts=(("file", "t.csv"),),
    )


def test_the_numbers_as_json(page, tmp_path):
    values = to_json(page)
    assert values["facts"] == {"file": "t.csv"}
    assert values["sections"]["Label counts"] == {
        "Overall": {"rows": 3, "F1": 0.5},
        "Counts": [{"label": "a", "rows": 1}],
    }
    rows = values["sections"]["Rows"]
    picture = str(tmp_path / "noise.png")
    assert rows["All of them"][299] == {"where": "r299", "labels": ["x", "y"], "picture": picture, "p": None}
    assert rows["By label"] == {"a": {"With": [{"where": "t:2", "caption": "c", "labels": ["a"]}]}}
    assert rows["Slider"] == [{"p": 0.1}]


def test_the_files(page, tmp_path):
    written = write_page(page, tmp_path / "out" / "x.html")
    assert sorted(file.name for file in written.tables.iterdir()) == [
        "label-counts-counts.csv",
        "label-counts-overall.csv",
        "rows-all-of-them.csv",
        "rows-slider.csv",
    ]
    with (written.tables / "rows-all-of-them.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [["where", "labels", "picture", "p"], ["r0", "x | y", str(tmp_path / "noise.png"), ""]]
    assert len(rows) == 301
    assert json.loads(written.json.read_text()) == to_json(page)
    html = written.html.read_text()
    assert "The first 250 of 300 rows are here" in html
    assert "r249" in html
    assert "r250" not in html
    assert html.count("data:image/webp;base64,") == 1, "a picture is in the page once, however often it is shown"


def test_same_page_same_file(page):
    assert render(page) == render(page)


def test_a_page_over_the_limit_loses_pictures_then_rows(page, tmp_path):
    whole = len(render(page).encode())
    bare = len(render(page, pictures=False).encode())
    assert bare < whole
    plain = write_page(page, tmp_path / "x.html", limit=whole).html.read_text()
    assert "pictures were left out" not in plain
    without = write_page(page, tmp_path / "x.html", limit=whole - 1).html.read_text()
    assert "pictures were left out, to keep" in without
    assert "r249" in without
    few = write_page(page, tmp_path / "x.html", limit=bare - 1).html.read_text()
    assert "pictures were left out, and tables were cut to 200 rows, to keep" in few
    assert "r200" not in few


def test_tables_of_the_same_name_get_files_of_their_own(page):
    section = page.sections[1]
    twice = replace(page, sections=(section, section))
    assert "rows-slider-2" in to_tables(twice)


def test_the_data_of_a_page_ends_no_script(page):
    section = Section("s", (Table("t", (Column("c"),), [("</script><!--\u2028",)]),))
    html = render(replace(page, sections=(section,)))
    data = re.search(r'id="data">(.*?)</script>', html, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["blocks"][0]["rows"] == [["</script><!--\u2028"]]


@pytest.mark.parametrize("name", ["x.csv", "x", "report"])
def test_a_report_is_an_html_file(page, tmp_path, name):
    with pytest.raises(ConfigError, match=rf"{name} does not end in .html"):
        write_page(page, tmp_path / name)


def test_cells_are_cut_where_they_are_long_and_payloads_never():
    long = "x" * 5000
    table = Table("Texts", (Column("text"),), [(long,)])
    slider = Interactive("Slider", {"packed": long.upper()}, "")
    html = render(Page("Long", (Section("All", (table, slider)),)))
    assert "x" * 600 + "…" in html
    assert "x" * 601 not in html
    assert "X" * 5000 in html

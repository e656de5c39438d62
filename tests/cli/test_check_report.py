"""`multitag check --report`: the page has the numbers that the command prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def twin(table, tmp_path):
    """The table's rows again, as another table."""
    folder = tmp_path / "data"
    shutil.copytree(table.parent, folder)
    (folder / table.name).rename(folder / "twin.csv")
    return folder / "twin.csv"


def test_the_page_has_the_commands_numbers(cli, table):
    answer = cli("check", table, "--report", "data.html", "--json", "--quiet")
    assert answer.code == 0
    page = json.loads(Path("data.numbers.json").read_text())["sections"]
    assert page["Overview"]["Overall"]["rows"] == answer.json["rows"] == 24
    counts = {row["label"]: row["rows"] for row in page["Labels"]["Label counts"]}
    assert counts == answer.json["label_counts"]
    sets = page["Labels"]["Sets of labels"]
    a_row = {n: sum(row["rows"] for row in sets if len(row["labels"]) == int(n)) for n in ("0", "1", "2", "3")}
    assert {n: rows for n, rows in a_row.items() if rows} == answer.json["rows_per_label_count"]
    assert len(page["Problems"].get("Rows to look at", [])) == len(answer.json["problems"])


def test_copies_across_tables_are_found(cli, table, twin):
    answer = cli("check", table, "--test", twin, "--report", "out/data.html")
    assert answer.code == 0
    assert (
        "out/data.html: a page to look at; its numbers are in out/data.numbers.json and out/data.tables." in answer.out
    )
    page = json.loads(Path("out/data.numbers.json").read_text())["sections"]
    across = page["Copies"][f"twin and {table.stem}"]
    assert across[f"rows of twin whose picture is in {table.stem}"] == 24
    assert across["either"] == 24


def test_errors_of_another_table_count(cli, table, twin):
    (twin.parent / "0.png").write_bytes(b"no picture")
    assert cli("check", table, "--test", twin, "--report", "data.html", "--quiet").code == 3


def test_options_that_make_no_sense_are_refused_at_once(cli, table, twin):
    answer = cli("check", table, "--test", twin)
    assert answer.code == 4
    assert "add --report data.html" in answer.err
    answer = cli("check", table, "--report", "data.json")
    assert answer.code == 4
    assert "does not end in .html" in answer.err

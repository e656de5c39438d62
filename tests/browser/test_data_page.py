"""The page of `multitag check --report`, used as a reader would, beside what the command prints."""

from __future__ import annotations

import json

import pytest

from multitag.cli import main
from tiny import write_table


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    """Enough rows for a table of words that is long enough to be filtered."""
    return write_table(tmp_path_factory.mktemp("table"), 60)


@pytest.fixture
def checked(table, tmp_path, capsys):
    """The page, and the command's JSON."""
    page = tmp_path / "data.html"
    twin = table.parent / "twin.csv"
    twin.write_text("\n".join(table.read_text().splitlines()[:7]))
    arguments = ["check", str(table), "--test", str(twin), "--report", str(page), "--json", "--quiet"]
    assert main.run(arguments) == 0
    return page, json.loads(capsys.readouterr().out)


def test_the_page_shows_what_the_command_prints(open_page, checked, table):
    file, printed = checked
    page = open_page(file).page
    page.set_viewport_size({"width": 1300, "height": 6000})
    tiles = dict(tile.inner_text().split("\n")[:2] for tile in page.locator(".tiles[data-name=Overall] .tile").all())
    assert tiles["rows"] == str(printed["rows"] + 6)
    assert tiles["labels"] == str(len(printed["label_counts"]))
    counts = page.locator(".table[data-name='Label counts']")
    shown = {name: int(rows) for name, rows in zip(*(column(counts, at) for at in (1, 2)), strict=True)}
    assert shown == printed["label_counts"]
    counts.get_by_role("button", name=f"rows in {table.stem}").click()
    assert column(counts, 2) == [str(n) for n in sorted(printed["label_counts"].values(), reverse=True)]
    across = page.locator(f".tiles[data-name='twin and {table.stem}'] .tile").first.inner_text().split("\n")
    assert across[:2] == [f"rows of twin whose picture is in {table.stem}", "6"]


def test_examples_of_a_label(open_page, checked):
    page = open_page(checked[0]).page
    page.set_viewport_size({"width": 1300, "height": 6000})  # pictures come as they are scrolled to
    choice = page.locator(".choice[data-name=Label]")
    choice.scroll_into_view_if_needed()
    choice.get_by_role("button", name="people").click()
    galleries = choice.locator(".option:not([hidden]) .gallery")
    for gallery in galleries.all():
        gallery.locator(".chips").first.wait_for()  # a gallery is filled when it is scrolled to
    with_it, without = (gallery.locator(".chips").all_inner_texts() for gallery in galleries.all())
    assert with_it
    assert all("people" in labels for labels in with_it)
    assert not any("people" in labels for labels in without)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.option:not([hidden]) img')].every(i => i.naturalWidth > 0)"
    )


def test_dark_and_filtered(open_page, checked):
    page = open_page(checked[0]).page
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    alike = page.locator(".table[data-name='Pictures that look the same']")
    alike.scroll_into_view_if_needed()
    assert int(alike.locator(".count").inner_text().split()[0]) >= 1
    words = page.locator(".table[data-name='Words of each label, in numbers']")
    words.scroll_into_view_if_needed()
    words.get_by_label("Filter by label").select_option("people")
    assert set(column(words, 1)) == {"people"}


def column(table, place):
    return table.locator(f"tbody td:nth-child({place})").all_inner_texts()

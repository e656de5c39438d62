"""A page of every kind of block, opened and used."""

from __future__ import annotations

import pytest
from PIL import Image

from multitag.report import (
    Beside,
    Choice,
    Column,
    Gallery,
    Interactive,
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

EVIL = "<img src=x onerror=document.title='pwned'></script><script>document.title='pwned'</script>&amp;"
NAMES = ["ant", "<b>bee</b>", EVIL, "dog"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    Image.new("RGB", (300, 200), "red").save(folder / "red.png")
    thumbnail = Thumbnails().of(folder / "red.png")
    rows = [(f"row {n}", thumbnail if n == 0 else None, (NAMES[n % 4],), n / 29, n * n % 31) for n in range(30)]
    columns = (
        Column("where"),
        Column("picture", "picture"),
        Column("labels", "labels"),
        Column("share", "share"),
        Column("n", "number", digits=0),
    )
    spread = {name: [0.1, 0.2, 0.4, 0.8] for name in NAMES}
    page = Page(
        title=f"Title {EVIL}",
        subtitle=EVIL,
        facts=((EVIL, EVIL),),
        sections=(
            Section(
                EVIL,
                (
                    Tiles("Overall", (Tile("rows", 30000), Tile(EVIL, EVIL, EVIL))),
                    Text(EVIL, "warning"),
                    Beside(
                        (
                            charts.bars("Bars", {"rows": dict.fromkeys(NAMES, 3)}, value=EVIL),
                            charts.histogram("Words", {EVIL: [1, 2, 2], "after": [1, 1]}, value="words"),
                        )
                    ),
                    charts.heat_map("Together", NAMES, NAMES, [[0.5] * 4] * 4, value="share"),
                    charts.box_plot("Spread", spread, value="F1"),
                    charts.lines("Curve", {EVIL: ([0, 1], [1, 0]), "other": ([0, 1], [1, 1])}, x="recall", y=EVIL),
                ),
                intro=EVIL,
            ),
            Section(
                "Rows",
                (
                    Table("All", columns, rows, note=EVIL),
                    Choice(
                        "Pictures",
                        {name: (Gallery(f"With {name}", [Picture(thumbnail, EVIL, (EVIL,), EVIL)]),) for name in NAMES},
                    ),
                    Interactive(
                        "Slider",
                        {"values": [3, EVIL]},
                        "const [number, words] = payload.values;"
                        "root.append(tools.element('output', {}, tools.number(number * 2, 1), words));",
                    ),
                ),
            ),
        ),
    )
    return write_page(page, folder / "page.html")


def cells(table, column):
    return table.locator(f"tbody td:nth-child({column})").all_inner_texts()


def test_what_users_write_is_shown_as_it_stands(open_page, written):
    page = open_page(written.html).page
    page.set_viewport_size({"width": 1300, "height": 5000})
    page.wait_for_function("() => document.querySelectorAll('.plot .main-svg').length >= 5")
    assert page.title() == f"Title {EVIL}"
    assert page.locator("h1").inner_text() == f"Title {EVIL}"
    assert EVIL in page.locator(".tiles").inner_text()
    ticks = page.locator(".chart[data-name=Bars] .ytick text").all_text_contents()
    assert ticks == ["ant", "<b>bee</b>", EVIL[:25] + "…", "dog"]
    legend = page.locator(".chart[data-name=Curve] .legendtext").all_text_contents()
    assert legend == [EVIL, "other"]
    assert page.locator("output").inner_text() == f"6.0{EVIL}"


def test_a_table_sorts_and_filters(open_page, written):
    page = open_page(written.html).page
    table = page.locator(".table[data-name=All]")
    table.scroll_into_view_if_needed()
    squares = [n * n % 31 for n in range(30)]
    assert cells(table, 5) == [str(n) for n in squares[:25]]
    table.get_by_role("button", name="n", exact=True).click()
    assert cells(table, 5) == [str(n) for n in sorted(squares, reverse=True)[:25]]
    table.get_by_role("button", name="n", exact=True).click()
    assert cells(table, 5) == [str(n) for n in sorted(squares)[:25]]
    table.get_by_role("button", name="Show 5 more").click()
    assert len(cells(table, 5)) == 30
    table.get_by_label("Filter by labels").select_option("<b>bee</b>")
    assert table.locator(".count").inner_text() == "8 match, of 30 rows"
    table.get_by_label("Filter by share").fill(">50")
    assert sorted(cells(table, 1)) == [f"row {n}" for n in (17, 21, 25, 29)]
    table.get_by_label("Filter by share").fill("")
    table.get_by_label("Search all columns").fill("row 1")
    assert sorted(cells(table, 1)) == ["row 1", "row 13", "row 17"]


def test_choices_pictures_and_numbers_of_charts(open_page, written):
    page = open_page(written.html).page
    choice = page.locator(".choice")
    choice.scroll_into_view_if_needed()
    assert choice.locator("h3:visible").all_inner_texts() == ["Pictures", "With ant"]
    choice.get_by_role("button", name="dog").click()
    assert choice.locator("h3:visible").all_inner_texts() == ["Pictures", "With dog"]
    page.wait_for_function("() => document.querySelector('.option:not([hidden]) img').naturalWidth === 144")
    chart = page.locator(".chart[data-name=Words]")
    chart.locator("summary").click()
    chart.locator("tbody tr").nth(1).wait_for()  # the browser tells of the opening in a task of its own
    assert chart.locator("tbody tr").all_inner_texts() == ["1\t1\t1\t2", "2\t2\t2\t0"]


@pytest.mark.parametrize(("system", "other"), [("light", "dark"), ("dark", "light")])
def test_colours_follow_the_system_and_the_button(open_page, written, system, other):
    page = open_page(written.html, scheme=system).page

    def colours():
        page.wait_for_selector(".chart[data-name=Bars] .bars path", state="attached")
        bar = page.locator(".chart[data-name=Bars] .bars path").first
        return (
            page.evaluate("getComputedStyle(document.body).backgroundColor"),
            bar.evaluate("path => getComputedStyle(path).fill"),
        )

    assert page.evaluate("document.documentElement.dataset.theme") == system
    before = colours()
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == other
    page.wait_for_function("old => getComputedStyle(document.querySelector('.bars path')).fill !== old", arg=before[1])
    after = colours()
    assert before[0] != after[0]
    page.locator("#theme").click()
    page.wait_for_function("old => getComputedStyle(document.querySelector('.bars path')).fill === old", arg=before[1])


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_nothing_is_wider_than_the_window(open_page, written, width):
    page = open_page(written.html, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width

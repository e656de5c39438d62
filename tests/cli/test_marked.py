"""Texts with their spans in a terminal: marks stand under the words that they are of, whatever the words are."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from multitag.cli.cells import lines_of
from multitag.cli.marked import Drawing, MarkedText, print_marked
from multitag.types import Span


def draw(text: str, *spans: Span, width: int = 60, **sides: list[Span]) -> list[str]:
    every = {"gold": list(spans), **sides}
    names = tuple(sorted({span.label for found in every.values() for span in found}))
    return [line.plain for line in Drawing(names, width).text(MarkedText("row", text, every))]


def of(text: str, words: str, label: str = "x") -> Span:
    start = text.index(words)
    return Span(start, start + len(words), label)


def test_nested_and_overlapping_spans_have_lines_of_their_own():
    text = "be a lady they said"
    assert draw(text, of(text, text, "all"), of(text, "lady", "some"), predicted=[of(text, "lady they", "some")]) == [
        " row",
        "            be a lady they said",
        " gold       a------------------",
        " gold            b---",
        " predicted       b--------",
    ]


def test_spans_that_touch_are_told_apart_and_a_side_without_any_says_so():
    assert draw("abcdef", Span(0, 3, "x"), Span(3, 6, "x"), predicted=[]) == [
        " row",
        "            abcdef",
        " gold       a--a--",
        " predicted  (none)",
    ]


BEFORE = [
    "日本語 ",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ",
    "e\u0301a\u0300 ",
    "\x1b[31m\u202e\u200f",
    "a\tb ",
    "❤️ ",
    "ｗｉｄｅ　",
    "\ufeff\x00\x07",
]


@pytest.mark.parametrize("before", BEFORE)
def test_marks_stand_under_their_words(before):
    text = f"{before}日dog fox"
    _, words, marks = draw(text, of(text, "日dog"))
    column = cell_len(words[: words.rindex("日")])
    assert marks == " gold".ljust(column) + "a----"
    assert "\x1b" not in words
    assert "\u202e" not in words


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028", "\x0b", "\x85"])
def test_a_span_goes_on_below_a_line_break(line_break):
    text = f"one two{line_break}three"
    assert draw(text, of(text, f"two{line_break}th")) == [
        " row", "       one two", " gold      a--", "       three", " gold  a-",
    ]  # fmt: skip


def test_lines_are_cut_at_spaces_and_no_wider_than_the_terminal():
    text = "word " * 20 + "w" * 70
    lines = draw(text, Span(0, len(text), "x"), width=40)
    assert max(map(len, lines)) <= 40
    assert {line.strip() for line in lines[1::2]} >= {"word word word word word word"}
    assert sum(line.count("w") for line in lines[1::2]) == 20 + 70


def test_letters_from_right_to_left_are_listed():
    """A terminal may reorder the line: marks below it would be under other words."""
    text = "see שלום עולם now"
    assert draw(text, of(text, "שלום עולם"), of(text, "see", "y")) == [
        " row", f"       {text}", " gold  b- see", " gold  a- שלום עולם",
    ]  # fmt: skip


def test_what_is_far_from_every_mark_is_left_out():
    text = "\n".join(f"line {number}" for number in range(9))
    assert [line.strip() for line in draw(text, of(text, "line 4"))[1:]] == [
        "...", "line 3", "line 4", "gold  a-----", "line 5", "...",
    ]  # fmt: skip
    assert [line.strip() for line in draw(text)[1:]] == ["line 0", "line 1", "...", "gold  (none)"]


def test_what_a_terminal_lacks_takes_one_column():
    cells = [cell for line in lines_of("a日\u0301é", 10, "ascii") for cell in line]
    assert ["".join(c.shown for c in cells), sum(c.width for c in cells)] == ["a??", 3]


@given(st.text(max_size=40), st.integers(2, 20))
def test_lines_hold_every_character_once_in_order(text, width):
    lines = lines_of(text, width)
    assert all(sum(cell.width for cell in line) <= width for line in lines)
    assert all(sum(cell.width for cell in line) == cell_len("".join(cell.shown for cell in line)) for line in lines)
    cells = [cell for line in lines for cell in line]
    assert all(one.stop <= two.start for one, two in pairwise(cells))
    left_out = set(range(len(text))) - {place for cell in cells for place in range(cell.start, cell.stop)}
    assert all(text[place] in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029" for place in left_out)


def shown(capsys) -> str:
    text = "be a lady"
    print_marked("texts", [MarkedText("row", text, {"gold": [of(text, "lady")]})])
    return capsys.readouterr().out


def test_colour_where_there_is_some_and_plain_ascii_elsewhere(capsys, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    piped = shown(capsys)
    assert piped.isascii()
    assert "\x1b" not in piped
    assert piped.splitlines()[-1] == " a  x"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "a━━━" in shown(capsys)
    assert "\x1b[31m" in shown(capsys)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "a---" in shown(capsys)
    assert "\x1b[31m" not in shown(capsys)

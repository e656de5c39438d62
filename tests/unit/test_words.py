"""Words and stretches of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multitag.intervals import merged
from multitag.types import Span
from multitag.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't stop-me, now!!", ["don't", "stop-me", ",", "now", "!", "!"]),
        ("'quoted' x- 3.5%", ["'", "quoted", "'", "x", "-", "3", ".", "5", "%"]),
        ("e\u0301te\u0301 l’été", ["e\u0301te\u0301", "l’été"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("שָׁלוֹם צה״ל!", ["שָׁלוֹם", "צה״ל", "!"]),
        ("👩‍👩‍👧 👍🏽ok ❤️", ["👩‍👩‍👧", "👍🏽", "ok", "❤️"]),
        ("", []),
        (" \n\t\u3000", []),
    ],
)
def test_words_by_hand(text, expected):
    assert [text[start:stop] for start, stop in words(text)] == expected


@given(text=st.text())
def test_every_visible_character_is_in_one_word(text):
    found = words(text)
    assert all(a < b for a, b in found)
    assert [n for a, b in found for n in range(a, b)] == [n for n, c in enumerate(text) if not c.isspace()]


@given(text=st.text(st.characters(codec="ascii")))
def test_ascii_takes_no_other_way_than_the_rest(text):
    assert words(text) == [place for place in words(text + " é") if place[1] <= len(text)]


def test_only_overlapping_spans_of_one_label_are_merged():
    spans = [Span(5, 8, "A"), Span(0, 3, "A"), Span(2, 4, "B"), Span(7, 9, "A"), Span(9, 10, "A"), Span(5, 6, "A")]
    assert merged(spans) == (Span(0, 3, "A"), Span(2, 4, "B"), Span(5, 9, "A"), Span(9, 10, "A"))

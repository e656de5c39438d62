"""Windows over long texts: every token is in one, none is cut, and together they say what one would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multitag.errors import ConfigError, DataError
from multitag.spans.alignment import locate
from multitag.spans.tagged import TaggedText
from multitag.spans.windows import Window, cut_windows, merge_windows
from span_tokenizers import minilm, tokenizers

KINDS = ["minilm", *tokenizers()]
PIECES = [
    "dog",
    "The CAT sat",
    " ",
    "\n\n",
    "é",
    "👩‍👩‍👧",
    "unbelievable",
    "日本語",
    "x" * 20,
    "it's",
    "!!",
    "שלום עולם",
]
LONG = st.lists(st.sampled_from(PIECES), max_size=25).map(" ".join)


def tokenizer(kind):
    return minilm() if kind == "minilm" else tokenizers()[kind]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=LONG, limit=st.integers(14, 40), overlap=st.integers(0, 5))
def test_every_token_is_whole_in_a_window_and_no_window_is_too_long(kind, text, limit, overlap):
    words = tokenizer(kind)
    places = locate(words, [text])[0]
    windows = cut_windows(words, [text], limit=limit, overlap=overlap)
    assert [window.row for window in windows] == [0] * len(windows)
    locate(words, [text[w.start : w.stop] for w in windows], limit=limit)
    assert not (text[: windows[0].start] + text[windows[-1].stop :]).strip()
    assert [w.start for w in windows] == sorted({w.start for w in windows})
    for start, stop in places.offsets[places.real].tolist():
        assert any(w.start <= start and stop <= w.stop for w in windows)
    if len(places.real) <= limit:
        assert windows == [Window(0, 0, len(text))]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=LONG, limit=st.integers(14, 40), overlap=st.integers(0, 5))
def test_what_depends_on_the_place_alone_comes_back_as_it_was(kind, text, limit, overlap):
    words = tokenizer(kind)
    whole = locate(words, [text])[0]
    places = whole.offsets[whole.real]
    parts = []
    windows = cut_windows(words, [text], limit=limit, overlap=overlap)
    for window in windows:
        tokens = locate(words, [text[window.start : window.stop]])[0].shifted(window.start)
        ends = tokens.offsets[:, 1:] / (len(text) + 1)
        parts.append(TaggedText.of(text, tokens, ends))
    merged = merge_windows(text, places, windows, parts)
    assert np.array_equal(merged.offsets, places)
    if kind in ("minilm", "words") and "👩" not in text:
        # Other kinds may split the first piece of a window differently.
        np.testing.assert_allclose(merged.values[:, 0], places[:, 1] / (len(text) + 1))


def test_cuts_stand_where_words_start_and_windows_overlap():
    text = "one two three four five six seven eight nine ten"
    windows = cut_windows(minilm(), [text, "short"], limit=6, overlap=1)
    assert [text[w.start : w.stop] for w in windows[:-1]] == [
        "one two three four",
        " four five six seven",
        " seven eight nine ten",
    ]
    assert windows[-1] == Window(1, 0, 5)


def test_means_of_what_windows_say_by_hand():
    text = "one two three"
    places = np.array([[0, 3], [4, 7], [8, 13]])
    first = TaggedText(text, places[:2], np.array([[0.2], [0.4]]))
    second = TaggedText(text, places[1:], np.array([[0.8], [0.6]]))
    merged = merge_windows(text, places, [Window(0, 0, 7), Window(0, 3, 13)], [first, second])
    np.testing.assert_allclose(merged.values[:, 0], [0.2, 0.6, 0.6])


def test_other_tokens_of_a_window_count_by_their_characters():
    text = "one two"
    part = TaggedText(text, np.array([[0, 2], [2, 3], [4, 7]]), np.array([[0.2], [0.4], [0.9]]))
    whole = np.array([[0, 3], [4, 7]])
    assert merge_windows(text, whole, [Window(0, 0, 7)], [part]).values[:, 0].tolist() == [0.4, 0.9]


def test_a_token_that_no_window_holds_is_named():
    part = TaggedText("one two", np.array([[0, 3]]), np.array([[0.2]]))
    with pytest.raises(DataError, match="no window holds the token at characters 4-7"):
        merge_windows("one two", np.array([[0, 3], [4, 7]]), [Window(0, 0, 3)], [part])


@pytest.mark.parametrize(("limit", "overlap"), [(2, 0), (10, 4), (10, -1)])
def test_windows_that_make_no_sense_are_refused(limit, overlap):
    with pytest.raises(
        ConfigError, match=rf"windows of {limit} tokens, 2 of them special, cannot overlap by {overlap}"
    ):
        cut_windows(minilm(), ["a"], limit=limit, overlap=overlap)


@pytest.mark.parametrize(
    "text", ["  " + "\n\n " * 9, "dog " + "\n\n " * 9, "\n\n " * 9 + "dog", "a " * 5 + " \n" * 20 + "b"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_white_space_alone_fills_no_window(kind, text):
    words = tokenizer(kind)
    windows = cut_windows(words, [text], limit=8, overlap=0)
    locate(words, [text[w.start : w.stop] for w in windows], limit=8)
    assert "".join(text[w.start : w.stop] for w in windows).split() == text.split()

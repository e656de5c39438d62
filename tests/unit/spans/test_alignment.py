"""Characters to tokens and back: nothing is lost but what lies within a token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from multitag.errors import ConfigError, DataError
from multitag.intervals import merged
from multitag.spans.alignment import locate, lost_spans, token_targets
from multitag.spans.base import SpanDecoder
from multitag.spans.begin_inside import BeginInside
from multitag.spans.global_threshold import GlobalSpanThreshold
from multitag.spans.tagged import TaggedText
from multitag.types import LabelSpace, Span
from span_tokenizers import minilm, tokenizers

SPACE = LabelSpace(("A", "B", "C"))
KINDS = ["minilm", *tokenizers()]
PIECES = [
    "dog",
    "The CAT",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    "é",
    "e\u0301",
    "Straße",
    "שָׁלוֹם",
    "مرحبا",
    "👍🏽",
    "👩‍👩‍👧",
    "!!",
    "don't",
]
PIECES += ["日本語", "\u200b", "\x00", "[SEP]", "x" * 30, "ﬁ", "½", "हिन्दी", "\r\n", "\u3000", "a-b", "#45"]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


def tokenizer(kind):
    return minilm() if kind == "minilm" else tokenizers()[kind]


@st.composite
def marked_texts(draw):
    text = draw(TEXTS)
    spans = []
    for _ in range(draw(st.integers(0, 5)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        spans.append(Span(start, draw(st.integers(start + 1, len(text))), draw(st.sampled_from(SPACE.names))))
    return text, spans


def decoded(decoder: SpanDecoder, text, tokens, targets):
    row = TaggedText.of(text, tokens, np.nan_to_num(targets))
    state = {"labels": list(SPACE.names), "thresholds": [0.5] * len(SPACE), "cut": 0.5}
    return decoder.load_state(state).apply([row])[0]


def grown(span, tokens):
    """The span with the whole of each token that it shares a character with."""
    touched = [(a, b) for (a, b), real in zip(tokens.offsets, tokens.real, strict=True) if real]
    touched = [(a, b) for a, b in touched if a < span.stop and b > span.start]
    return Span(int(min(a for a, _ in touched)), int(max(b for _, b in touched)), span.label) if touched else None


def expected(spans, tokens):
    """Each span grown to its tokens; a token that two of one label share is the later's, as its begin says."""
    found = {name: [] for name in SPACE.names}
    ends = sorted({int(stop) for stop in tokens.offsets[tokens.real][:, 1]})
    for span in spans:
        whole, before = grown(span, tokens), found[span.label]
        if whole is None:
            continue
        if before and whole.start < before[-1].stop:
            last = before.pop()
            if whole.start == last.start:
                whole = Span(last.start, max(last.stop, whole.stop), span.label)
            else:
                before.append(Span(last.start, max(end for end in ends if end <= whole.start), span.label))
        before.append(whole)
    return [span for group in found.values() for span in group]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(marked=marked_texts())
@example(marked=("a  b\n\nc", [Span(0, 1, "A"), Span(3, 4, "A"), Span(3, 7, "B")]))
@example(marked=("👍🏽👍🏽", [Span(0, 2, "A"), Span(2, 4, "A")]))
@example(marked=("dog", [Span(0, 1, "A"), Span(2, 3, "A")]))
def test_gold_to_tokens_to_spans_loses_nothing_but_what_lies_within_a_token(kind, marked):
    text, spans = marked
    tokens = locate(tokenizer(kind), [text])[0]
    targets = token_targets(tokens, spans, SPACE, "begin_inside")
    assert np.array_equal(np.isnan(targets).all(1), ~tokens.real)
    found = decoded(BeginInside(SPACE, unit="token"), text, tokens, targets)
    assert set(found) == set(expected(merged(spans), tokens))
    assert {span for span in spans if grown(span, tokens) is None} == set(lost_spans(tokens, spans))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(marked=marked_texts())
def test_without_begins_every_character_that_a_token_stands_for_keeps_its_labels(kind, marked):
    text, spans = marked
    tokens = locate(tokenizer(kind), [text])[0]
    found = decoded(GlobalSpanThreshold(SPACE, unit="token"), text, tokens, token_targets(tokens, spans, SPACE))
    for start, stop in tokens.offsets[tokens.real].tolist():
        for name in SPACE.names:
            gold = any(s.start < stop and s.stop > start and s.label == name for s in spans)
            given_ = any(s.start < stop and s.stop > start and s.label == name for s in found)
            # The bytes of one character are tokens of one place, decided together.
            assert given_ >= gold
    for span in found:
        assert text[span.start : span.stop] == text[span.start : span.stop].strip()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(text=TEXTS)
def test_offsets_are_in_order_within_the_text_and_of_no_white_space(kind, text):
    tokens = locate(tokenizer(kind), [text])[0]
    places = tokens.offsets[tokens.real]
    assert (places[:, 0] < places[:, 1]).all()
    assert (np.diff(places, axis=0) >= 0).all()
    assert places.size == 0 or (places.min() >= 0 and places.max() <= len(text))
    for start, stop in places.tolist():
        assert text[start:stop] == text[start:stop].strip()


def test_word_pieces_by_hand():
    text = "HATE  the\nWÖRLD!"
    tokens = locate(minilm(), [text])[0]
    assert [text[a:b] for a, b in tokens.offsets] == ["", "HATE", "the", "WÖRLD", "!", ""]
    assert tokens.real.tolist() == [False, True, True, True, True, False]
    spans = [Span(1, 9, "A"), Span(10, 15, "A"), Span(14, 16, "B"), Span(0, 4, "nobody's")]
    targets = token_targets(tokens, spans, SPACE, "begin_inside")
    nan = [np.nan] * 6
    expected = [nan, [1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 0, 0], [1, 1, 0, 1, 1, 0], [0, 0, 0, 0, 1, 0], nan]
    assert np.array_equal(targets, np.array(expected), equal_nan=True)
    assert np.array_equal(token_targets(tokens, spans, SPACE), np.array(expected)[:, 3:], equal_nan=True)


def test_several_texts_are_told_apart_and_padding_is_none_of_them():
    rows = locate(minilm(), ["a dog", "", "a dog and a cat"])
    assert [len(row.real) for row in rows] == [4, 2, 7]
    assert not rows[1].real.any()
    values = np.arange(14.0).reshape(7, 2) / 14
    tagged = TaggedText.of("a dog", rows[0], values)
    assert tagged.values.tolist() == values[1:3].tolist()
    assert tagged.offsets.tolist() == [[0, 1], [2, 5]]


def test_a_window_knows_what_began_before_it():
    text = "one two three four"
    tokens = locate(minilm(), [text[8:]])[0].shifted(8)
    targets = token_targets(tokens, [Span(4, 13, "A"), Span(14, 18, "B")], SPACE, "begin_inside")
    assert targets[1:3].tolist() == [[0, 0, 0, 1, 0, 0], [0, 1, 0, 0, 1, 0]]
    assert tokens.start == 8


def test_a_text_that_is_too_long_is_not_cut_in_silence():
    with pytest.raises(DataError, match=r"1 texts have more tokens than the 5 .*\n  text 1: 6 tokens\nFix: cut them"):
        locate(minilm(), ["a dog", "one two three four"], limit=5)


def test_a_slow_tokenizer_is_refused():
    with pytest.raises(ConfigError, match="does not say which characters its tokens stand for"):
        locate(object(), ["a"])


def test_tagged_texts_are_checked():
    with pytest.raises(DataError, match=r"shape \(tokens, outputs\)"):
        TaggedText("a", np.zeros((2, 2), np.int64), np.zeros((1, 3)))
    with pytest.raises(DataError, match=r"numbers in \[0, 1\]"):
        TaggedText("a", np.array([[0, 1]]), np.array([[np.nan]]))

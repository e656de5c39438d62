"""A gazetteer and chance, by hand and on the task's own memes."""

from __future__ import annotations

import pytest

from multitag.data.table import read_table
from multitag.metrics import SPAN_METRICS
from multitag.metrics.span_answers import SpanAnswers
from multitag.spans.baselines import find_phrases, learn_phrases, random_spans
from multitag.types import LabelSpace, Span
from shared import SHARED, requires_shared

TEXTS = ["HATE the liar!", "the LIAR, liar"]
SPANS = [[Span(0, 4, "A"), Span(9, 13, "B"), Span(9, 13, "A")], [Span(4, 8, "B")]]


def test_phrases_by_hand():
    phrases = learn_phrases(TEXTS, SPANS)
    assert phrases == {("hate",): {"A"}, ("liar",): {"A", "B"}}
    assert find_phrases(phrases, ["No liar: I Hate", "hateful", ""]) == [
        (Span(3, 7, "A"), Span(3, 7, "B"), Span(11, 15, "A")),
        (),
        (),
    ]
    # "liar" stands in three places: B in two of them, A in one.
    assert learn_phrases(TEXTS, SPANS, precision=0.5) == {("hate",): {"A"}, ("liar",): {"B"}}
    assert find_phrases({}, ["a"]) == [()]


def test_long_phrases_are_left_out_and_words_are_whole():
    assert learn_phrases(["one two three"], [[Span(0, 13, "A"), Span(1, 5, "B")]], longest=2) == {("one", "two"): {"B"}}
    phrases = learn_phrases(["one two"], [[Span(0, 7, "A")]])
    assert find_phrases(phrases, ["One  TWO one"]) == [(Span(0, 8, "A"),)]


def test_random_spans_are_within_their_text_and_the_seeds():
    texts = ["", "a", "some words " * 5]
    found = random_spans(texts, ["A", "B"], seed=3)
    assert found == random_spans(texts, ["A", "B"], seed=3) != random_spans(texts, ["A", "B"], seed=4)
    for text, spans in zip(texts, found, strict=True):
        assert bool(spans) == bool(text)
        assert all(0 <= span.start < span.stop <= len(text) for span in spans)


@requires_shared("semeval2021_memes")
def test_what_a_tagger_must_beat():
    train, dev = (read_table(SHARED / "semeval2021_memes" / f"{part}_task2.json").samples for part in ("train", "dev"))
    names = LabelSpace.from_spans(train).names
    gold = [sample.spans for sample in dev]
    texts = [sample.text for sample in dev]
    phrases = learn_phrases([s.text for s in train], [s.spans for s in train], longest=3)

    def f1(predicted):
        return SPAN_METRICS.get("partial_f1")(SpanAnswers(gold, predicted, names))

    assert f1(gold) == pytest.approx(1)
    chance = [f1(random_spans(texts, names, seed=seed)) for seed in range(10)]
    assert sum(chance) / 10 < 0.05
    assert f1(find_phrases(phrases, texts)) == pytest.approx(0.213, abs=0.001)

"""Span decoders: thresholds that are best indeed, values by hand, and what each is for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitag.metrics import SPAN_METRICS
from multitag.metrics.span_answers import SpanAnswers
from multitag.spans import SPAN_DECODERS
from multitag.spans.tagged import TaggedText
from multitag.spans.units import find_runs
from multitag.types import LabelSpace, Span
from multitag.words import words

SPACE = LabelSpace(("A", "B"))
TEXT = "one two three,\nfour five"
PLACES = np.array(words(TEXT))  # one two three , four five


def tagged(*columns, text=TEXT, places=PLACES):
    return TaggedText(text, places, np.array(columns, np.float64).T)


def decoder(name, thresholds=(0.5, 0.5), space=SPACE, state=(), **options):
    saved = {"labels": list(space.names), "thresholds": list(thresholds), **dict(state)}
    return SPAN_DECODERS.build(name, options, space).load_state(saved)


def test_thresholds_gaps_bridges_and_lengths_by_hand():
    row = tagged([0.9, 0.6, 0.1, 0.1, 0.2, 0.9], [0.1, 0.1, 0.8, 0.8, 0.8, 0.1])
    assert decoder("global_threshold").apply([row]) == [
        (Span(0, 7, "A"), Span(8, 19, "B"), Span(20, 24, "A")),
    ]
    assert decoder("global_threshold", gaps="spaces").apply([row])[0][1:3] == (Span(8, 14, "B"), Span(15, 19, "B"))
    assert decoder("global_threshold", gaps="none").apply([row])[0][:2] == (Span(0, 3, "A"), Span(4, 7, "A"))
    assert decoder("global_threshold", bridge=3).apply([row])[0][0] == Span(0, 24, "A")
    assert decoder("global_threshold", bridge=2).apply([row])[0][0] == Span(0, 7, "A")
    assert decoder("global_threshold", bridge=3, gaps="spaces").apply([row])[0][0] == Span(0, 7, "A")
    assert decoder("global_threshold", shortest=8).apply([row]) == [(Span(8, 19, "B"),)]
    assert decoder("global_threshold", (0.8, 0.9)).apply([row]) == [(Span(0, 3, "A"), Span(20, 24, "A"))]


def test_units_are_tokens_or_whole_words():
    text, places = "unbelievable 👍", np.array([[0, 2], [2, 9], [9, 12], [13, 14], [13, 14]])
    row = tagged([0.1, 0.9, 0.2, 0.1, 0.7], text=text, places=places)
    one = LabelSpace(("A",))
    assert decoder("global_threshold", [0.5], one, unit="token").apply([row]) == [(Span(2, 9, "A"), Span(13, 14, "A"))]
    assert decoder("global_threshold", [0.5], one).apply([row]) == [(Span(0, 14, "A"),)]
    assert decoder("global_threshold", [0.41], one, pool="mean").apply([row]) == [()]
    assert decoder("global_threshold", [0.39], one, pool="mean").apply([row]) == [(Span(0, 14, "A"),)]


def test_begins_cut_neighbours_apart():
    inside, begin = [0.9, 0.9, 0.9, 0.9, 0.1, 0.9], [0.9, 0.1, 0.9, 0.1, 0.9, 0.1]
    row = TaggedText(TEXT, PLACES, np.array([begin, [0] * 6, inside, [0] * 6]).T)
    found = decoder("begin_inside", state={"cut": 0.5}).apply([row])
    assert found == [(Span(0, 7, "A"), Span(8, 14, "A"), Span(20, 24, "A"))]
    assert decoder("begin_inside", state={"cut": 2.0}).apply([row])[0][0] == Span(0, 14, "A")


@settings(max_examples=200, deadline=None)
@given(
    active=st.lists(st.booleans(), max_size=9),
    blocked=st.lists(st.booleans(), min_size=9, max_size=9),
    bridge=st.integers(0, 3),
)
def test_runs_are_what_their_definition_says(active, blocked, bridge):
    on = [n for n, taken in enumerate(active) if taken]
    expected = []
    for n in on:
        near = expected and n - expected[-1][1] - 1 <= bridge and not any(blocked[expected[-1][1] + 1 : n + 1])
        if near:
            expected[-1] = (expected[-1][0], n)
        else:
            expected.append((n, n))
    assert find_runs(np.array(active, bool), np.array(blocked[: len(active)], bool), bridge) == expected


def corpus(seed, name="global_threshold", rows=8, ties=True, separable=False):
    rng = np.random.default_rng(seed)
    found, gold = [], []
    for _ in range(rows):
        text = " ".join("ab\ncd,e" if rng.random() < 0.2 else "word" for _ in range(int(rng.integers(1, 7))))
        places = np.array(words(text))
        spans = []
        inside = np.zeros((len(places), 2))
        begin = np.zeros((len(places), 2))
        for k, label in enumerate(SPACE.names):
            for _ in range(int(rng.integers(0, 3))):
                first = int(rng.integers(len(places)))
                last = min(first + int(rng.integers(3)), len(places) - 1)
                spans.append(Span(int(places[first, 0]), int(places[last, 1]), label))
                inside[first : last + 1, k] = 1
                begin[first, k] = 1
        values = np.hstack([begin, inside]) if name == "begin_inside" else inside
        noise = rng.random(values.shape)
        values = values if separable else 0.4 * values + 0.6 * noise
        found.append(TaggedText(text, places, values.round(1) if ties else values))
        gold.append(spans)
    return found, gold


def value(decoded, gold, target):
    return SPAN_METRICS.get(target)(SpanAnswers(gold, decoded, SPACE.names))


OPTIONS = [{}, {"bridge": 1, "shortest": 3}, {"gaps": "spaces", "bridge": 2}, {"gaps": "none", "shortest": 5}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("target", ["partial_f1", "exact_f1"])
@pytest.mark.parametrize("seed", range(6))
def test_no_common_threshold_is_better_than_the_fitted_one(options, target, seed):
    rows, gold = corpus(seed, ties=seed % 2 == 0)
    fitted = SPAN_DECODERS.build("global_threshold", {"target": target, **options}, SPACE).fit(rows, gold)
    best = value(fitted.apply(rows), gold, target)
    heights = {float(height) for row in rows for height in row.values.ravel()} | {1.1}
    others = [
        value(decoder("global_threshold", [height] * 2, **options).apply(rows), gold, target) for height in heights
    ]
    assert best == pytest.approx(max(others))


@pytest.mark.parametrize("target", ["partial_f1", "exact_f1"])
@pytest.mark.parametrize("seed", range(4))
def test_no_label_gains_by_moving_its_own_threshold(target, seed):
    rows, gold = corpus(seed)
    options = {"target": target, "min_spans": 0, "shrinkage": 0.0}
    fitted = SPAN_DECODERS.build("per_label", options, SPACE).fit(rows, gold)
    best = value(fitted.apply(rows), gold, target)
    common = SPAN_DECODERS.build("global_threshold", {"target": target}, SPACE).fit(rows, gold)
    assert best >= value(common.apply(rows), gold, target) - 1e-9
    for k in range(2):
        for height in {float(h) for row in rows for h in row.values[:, k]} | {1.1}:
            moved = list(fitted.thresholds_)
            moved[k] = height
            assert value(decoder("per_label", moved).apply(rows), gold, target) <= best + 1e-9


def test_labels_with_few_spans_keep_the_common_threshold_and_others_are_drawn_to_it():
    rows, gold = corpus(1, rows=30, ties=False)
    gold = [[s for s in spans if s.label == "A" or row < 4] for row, spans in enumerate(gold)]
    common = SPAN_DECODERS.build("global_threshold", {}, SPACE).fit(rows, gold).thresholds_[0]
    free, drawn = (
        SPAN_DECODERS.build("per_label", {"min_spans": 10, "shrinkage": c}, SPACE).fit(rows, gold).thresholds_
        for c in (0.0, 1e9)
    )
    assert free[1] == common
    assert drawn == pytest.approx([common, common], abs=1e-6)


def test_begin_inside_finds_where_to_cut():
    rows, gold = corpus(3, "begin_inside", rows=30, separable=True)
    gold = [[Span(0, 3, "A"), Span(4, 7, "A")], *gold]
    first = TaggedText("one two", np.array([[0, 3], [4, 7]]), np.array([[1, 0, 1, 0], [1, 0, 1, 0]], float))
    options = {"gaps": "lines", "target": "exact_f1"}
    fitted = SPAN_DECODERS.build("begin_inside", options, SPACE).fit([first, *rows], gold)
    assert fitted.cut_ < 1
    assert fitted.apply([first]) == [(Span(0, 3, "A"), Span(4, 7, "A"))]


def test_a_chain_learns_that_spans_are_long():
    """Four words in five are marked as they should be, at random: only neighbours tell, and no threshold does."""
    rng = np.random.default_rng(0)
    rows, gold = [], []
    one = LabelSpace(("A",))
    for _ in range(60):
        text = " ".join(["word"] * 24)
        places = np.array(words(text))
        first = int(rng.integers(0, 12))
        inside = (np.arange(24) >= first) & (np.arange(24) < first + 12)
        rows.append(TaggedText(text, places, np.where(rng.random(24) < np.where(inside, 0.8, 0.2), 0.7, 0.3)[:, None]))
        gold.append([Span(int(places[first, 0]), int(places[first + 11, 1]), "A")])
    scores = {}
    for name, options in (("global_threshold", {}), ("crf", {}), ("crf", {"path": "viterbi"})):
        fitted = SPAN_DECODERS.build(name, options, one).fit(rows[:40], gold[:40])
        answers = SpanAnswers(gold[40:], fitted.apply(rows[40:]), one.names)
        scores[name, options.get("path")] = SPAN_METRICS.get("partial_f1")(answers)
    assert scores["global_threshold", None] < 0.7
    assert scores["crf", None] > 0.85
    assert scores["crf", "viterbi"] > 0.85


def test_labels_of_a_chain_with_few_spans_stay_near_the_others():
    rows, gold = corpus(5, rows=40, ties=False)
    near, far = (
        SPAN_DECODERS.build("crf", {"penalty": penalty}, SPACE).fit(rows, gold).weights_ for penalty in (1e6, 0.0)
    )
    assert np.abs(near[0] - near[1]).max() < 1e-3 < np.abs(far[0] - far[1]).max()

"""Span scores: worked out by hand, and against the task's scorer written plainly with sets of characters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitag.errors import DataError
from multitag.metrics import SPAN_METRICS
from multitag.metrics.bootstrap import bootstrap, paired_bootstrap
from multitag.metrics.span_answers import SpanAnswers
from multitag.metrics.span_scores import spans_per_label
from multitag.types import Span

NAMES = ("A", "B", "C")
SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 8), st.sampled_from(NAMES)).map(
        lambda s: Span(s[0], s[0] + s[1], s[2])
    ),
    max_size=5,
)
ROWS = st.lists(st.tuples(SPANS, SPANS), min_size=1, max_size=5)


def score(name, gold, predicted, weights=None):
    return SPAN_METRICS.get(name)(SpanAnswers(gold, predicted, NAMES), weights)


def scores(gold, predicted):
    return [score(name, gold, predicted) for name in ("partial_precision", "partial_recall", "partial_f1")]


def test_partial_matches_by_hand():
    gold = [[Span(0, 10, "A"), Span(20, 30, "B")], [Span(0, 4, "A")]]
    predicted = [[Span(5, 10, "A"), Span(8, 15, "A"), Span(0, 5, "C")], []]
    # Merged: A 5-15, which shares 5 characters with gold: 5/10 of itself, 5/10 of gold; C has no gold.
    precision, recall = 0.5 / 2, 0.5 / 3
    assert scores(gold, predicted) == pytest.approx([precision, recall, 2 * precision * recall / (precision + recall)])
    assert score("exact_f1", gold, predicted) == 0


def test_exact_matches_by_hand():
    gold = [[Span(0, 10, "A"), Span(20, 30, "B")], [Span(0, 4, "A")]]
    predicted = [[Span(0, 10, "A"), Span(20, 29, "B"), Span(0, 10, "B")], [Span(0, 4, "A")]]
    assert score("exact_precision", gold, predicted) == 2 / 4
    assert score("exact_recall", gold, predicted) == 2 / 3
    assert score("exact_f1", gold, predicted) == pytest.approx(4 / 7)
    assert scores(gold, predicted)[:2] == pytest.approx([(1 + 1 + 0 + 1) / 4, (1 + 0.9 + 1) / 3])


def test_spans_that_touch_stay_two_and_gold_is_never_merged():
    assert scores([[Span(0, 10, "A")]], [[Span(0, 5, "A"), Span(5, 10, "A")]])[:2] == [1.0, 1.0]
    # Two gold spans of one label on one another count twice, as in the task.
    assert scores([[Span(0, 10, "A"), Span(0, 5, "A")]], [[Span(0, 10, "A")]])[:2] == [1.5, 1.0]


@pytest.mark.parametrize("name", SPAN_METRICS.names())
def test_empty_sides(name):
    span = [Span(0, 3, "A")]
    assert score(name, [[], []], [[], []]) == 1
    assert score(name, [span, []], [[], []]) == 0
    assert score(name, [[], []], [[], span]) == 0
    assert np.isnan(score(name, [None], [span]))


def test_rows_that_are_not_known_are_left_out():
    span = [Span(0, 3, "A")]
    assert scores([span, None], [span, [Span(0, 9, "B")]]) == [1, 1, 1]


def official(gold, predicted):
    """The task's scorer, on sets of characters: merge the predicted, then sum over pairs of one technique."""
    above_p = above_r = below_p = below_r = 0
    for truth, said in zip(gold, predicted, strict=True):
        truth_sets = [(t.label, set(range(t.start, t.stop))) for t in truth]
        said_sets = []
        for s in said:
            label, own = s.label, set(range(s.start, s.stop))
            while True:
                other = next((entry for entry in said_sets if entry[0] == label and entry[1] & own), None)
                if other is None:
                    break
                said_sets.remove(other)
                own |= other[1]
            said_sets.append((label, own))
        below_p += len(said_sets)
        below_r += len(truth_sets)
        for said_label, s in said_sets:
            for truth_label, t in truth_sets:
                if said_label == truth_label:
                    above_p += len(s & t) / len(s)
                    above_r += len(s & t) / len(t)
    p = above_p / below_p if below_p else 0
    r = above_r / below_r if below_r else 0
    f = 1 if not below_p and not below_r else 2 * p * r / (p + r) if p > 0 and r > 0 else 0
    return p, r, f, below_p + below_r


@settings(max_examples=300, deadline=None)
@given(rows=ROWS)
def test_as_the_tasks_scorer(rows):
    gold, predicted = zip(*rows, strict=True)
    p, r, f, spans = official(gold, predicted)
    expected = [p, r, f] if spans else [1, 1, 1]
    assert scores(gold, predicted) == pytest.approx(expected)


@settings(max_examples=50, deadline=None)
@given(rows=ROWS)
def test_a_label_on_its_own_scores_as_if_there_were_no_other(rows):
    gold, predicted = zip(*rows, strict=True)
    lines = spans_per_label(SpanAnswers(gold, predicted, NAMES))
    for line in lines:
        own = [[[s for s in spans if s.label == line.label] for spans in side] for side in (gold, predicted)]
        assert [line.precision, line.recall, line.f1] == pytest.approx(scores(*own))
        assert line.exact_f1 == pytest.approx(score("exact_f1", *own))
        assert line.support == sum(map(len, own[0]))


@pytest.mark.parametrize("name", SPAN_METRICS.names())
def test_weights_are_repeated_rows(name):
    gold = [[Span(0, 10, "A")], [Span(5, 9, "B")], None, []]
    predicted = [[Span(2, 12, "A")], [Span(5, 9, "B"), Span(0, 2, "C")], [Span(0, 1, "A")], [Span(0, 1, "A")]]
    weights = np.array([[2, 1, 3, 0], [0, 0, 1, 0], [1, 1, 1, 1.0]])
    found = score(name, gold, predicted, weights)
    repeated = [0, 0, 1, 2, 2, 2]
    assert found[0] == pytest.approx(score(name, [gold[n] for n in repeated], [predicted[n] for n in repeated]))
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(score(name, gold, predicted))


def test_bootstrap_intervals_and_paired_comparison():
    rng = np.random.default_rng(0)
    gold = [[Span(0, 10, "A")] for _ in range(60)]
    good = [[Span(0, 10 if rng.random() < 0.8 else 5, "A")] for _ in gold]
    poor = [[Span(0, 5, "A")] for _ in gold]
    first, second = SpanAnswers(gold, good, NAMES), SpanAnswers(gold, poor, NAMES)
    found = bootstrap(first, SPAN_METRICS.names(), rounds=200, registry=SPAN_METRICS)
    assert found["partial_f1"].low < found["partial_f1"].value < found["partial_f1"].high
    assert found["partial_precision"].value == 1
    gap = paired_bootstrap(first, second, ["partial_f1"], rounds=200, registry=SPAN_METRICS)["partial_f1"]
    assert gap.low > 0
    assert gap.p < 0.05
    with pytest.raises(DataError, match="gold labels differ"):
        paired_bootstrap(first, SpanAnswers([[]] * 60, poor, NAMES), ["partial_f1"], registry=SPAN_METRICS)


def test_bad_spans_are_listed():
    with pytest.raises(DataError, match=r"2 spans are empty.*\n  row 0, gold: .*'Z'.*\n  row 0, predicted: .*stop=3"):
        SpanAnswers([[Span(0, 1, "Z")]], [[Span(3, 3, "A")]], NAMES)
    with pytest.raises(DataError, match="of the same rows"):
        SpanAnswers([[]], [], NAMES)


@pytest.mark.parametrize("name", SPAN_METRICS.names())
def test_each_says_what_it_is(name):
    assert SPAN_METRICS.summary(name).endswith(".")

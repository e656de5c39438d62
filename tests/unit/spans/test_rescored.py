"""Spans looked at as a whole: their features by hand, and what they are good for."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.metrics import SPAN_METRICS
from multitag.metrics.span_answers import SpanAnswers
from multitag.spans import SPAN_DECODERS
from multitag.spans.base import Scored
from multitag.spans.rescored import _best_least
from multitag.spans.span_features import NAMES, features
from multitag.spans.tagged import TaggedText
from multitag.spans.units import units_of
from multitag.types import LabelSpace, Span
from multitag.words import words

SPACE = LabelSpace(("A", "B"))


def test_features_by_hand():
    text = "one two six ten"
    row = TaggedText(text, np.array(words(text)), np.array([[0.5, 0.1], [0.8, 0.3], [0.1, 0.2], [0.9, 0.6]]))
    units = units_of(row, unit="word", pool="max", gaps="lines")
    spans = (Span(0, 7, "A"), Span(12, 15, "A"), Span(12, 15, "B"))
    scored = Scored(units, units.values, np.zeros((4, 2), bool))
    found = features(spans, scored, np.array([0.5, 0.2]), SPACE.names, np.array([0.7, -0.7]))
    assert found.spans == spans
    first, second, third = (dict(zip(NAMES, values, strict=True)) for values in found.values)
    assert first == pytest.approx(
        {
            "highest": np.log(4),
            "mean": np.log(4) / 2,
            "lowest": 0.0,
            "words": np.log(2),
            "share": 0.5,
            "start": 0.0,
            "others": np.log(2),
            "rivals": 0.3,
            "common": 0.7,
        }
    )
    assert second["highest"] == second["lowest"] == pytest.approx(np.log(9))
    assert (second["start"], second["rivals"]) == (0.75, 0.6)
    assert third["mean"] == pytest.approx(np.log(1.5) + np.log(4))
    assert (third["others"], third["rivals"], third["common"]) == (0.0, 0.9, -0.7)


@pytest.mark.parametrize("seed", range(6))
def test_the_least_score_kept_is_the_best_one(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 8, 30) / 10
    worth = np.stack([rng.random(30), rng.random(30), np.ones(30)], axis=1)

    def f1(kept):
        precision, recall = worth[kept, 0].sum() / max(kept.sum(), 1), worth[kept, 1].sum() / 20
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    found = f1(scores >= _best_least(scores, worth, 20))
    assert found == pytest.approx(max(f1(scores >= cut) for cut in [0.0, *scores]))


def test_all_are_kept_where_nothing_is_better():
    assert _best_least(np.array([0.2, 0.9]), np.ones((2, 3)), 2) == 0


def corpus(rows: int, seed: int) -> tuple[list[TaggedText], list[list[Span]]]:
    """Spans of three words are right, those of a single word are not; no word's probability tells them apart."""
    rng = np.random.default_rng(seed)
    tagged, gold = [], []
    for _ in range(rows):
        text = " ".join(["word"] * 12)
        places = np.array(words(text))
        values = rng.uniform(0.0, 0.2, (12, 2))
        long, short = int(rng.integers(0, 4)), int(rng.integers(8, 12))
        values[[*range(long, long + 3), short], 0] = rng.uniform(0.7, 0.9, 4)
        tagged.append(TaggedText(text, places, values))
        gold.append([Span(int(places[long, 0]), int(places[long + 2, 1]), "A")])
    return tagged, gold


def test_what_no_word_tells_the_span_does():
    (tagged, gold), (new, known) = corpus(40, 0), corpus(30, 1)
    scores = {}
    for name in ("per_label", "rescored"):
        found = SPAN_DECODERS.build(name, {}, SPACE).fit(tagged, gold).apply(new)
        scores[name] = float(SPAN_METRICS.get("partial_f1")(SpanAnswers(known, found, SPACE.names)))
    assert scores["per_label"] < 0.75
    assert scores["rescored"] > 0.9


def test_spans_are_those_of_per_label_or_fewer():
    (tagged, gold), (new, _) = corpus(40, 2), corpus(20, 3)
    every, kept = (SPAN_DECODERS.build(n, {}, SPACE).fit(tagged, gold).apply(new) for n in ("per_label", "rescored"))
    assert all(set(few) <= set(many) for few, many in zip(kept, every, strict=True))
    assert sum(map(len, kept)) < sum(map(len, every))

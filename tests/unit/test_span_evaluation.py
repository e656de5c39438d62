"""Evaluations of spans: which texts are most wrong."""

from __future__ import annotations

import json

import pytest

from multitag.span_evaluation import SpanEvaluation, evaluate_spans
from multitag.types import LabelSpace, Sample, Span, SpanPredictions

TEXT = "0123456789"


def scored(*rows: tuple[list[Span] | None, list[Span]]) -> SpanEvaluation:
    samples = [
        Sample(str(n), text=TEXT, spans=None if gold is None else tuple(gold)) for n, (gold, _) in enumerate(rows)
    ]
    ids, texts = tuple(sample.id for sample in samples), tuple(sample.text for sample in samples)
    made = SpanPredictions(ids, LabelSpace(("a", "b")), texts, tuple(tuple(found) for _, found in rows))
    return evaluate_spans(made, samples, rounds=2)


A, B, HALF = Span(0, 4, "a"), Span(2, 6, "b"), Span(0, 2, "a")


def test_the_share_of_what_the_other_side_does_not_have():
    found = scored(
        ([A, B], [A, B]),
        ([A], [HALF]),  # all of the prediction is right, half of the gold span is found: 1.5 of 2
        ([A, B], []),
        ([A], [B]),
        ([], []),
        (None, [A]),
        ([Span(0, 9, "stranger")], []),
    )
    assert [text.wrong for text in found.texts] == [0, 0.25, 1, 1, 0, 1]
    assert [text.id for text in found.texts] == ["0", "1", "2", "3", "4", "6"]
    assert [text.id for text in found.worst(3)] == ["2", "3", "6"]
    assert [text.id for text in found.worst(99)] == ["2", "3", "6", "1"]
    assert found.worst(1)[0].gold == (A, B)
    assert "texts" not in json.loads(json.dumps(found.to_dict()))


def test_overlapping_gold_spans_of_one_label_make_no_share_negative():
    assert scored(([A, HALF], [A])).texts[0].wrong == pytest.approx(0)

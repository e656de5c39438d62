"""Spans in rows: nothing lost, nothing drawn over another, as few rows as can be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from multitag.span_layers import Segment, layers
from multitag.types import Span

TEXT = "0123456789"


def test_nested_and_overlapping_spans_get_rows_of_their_own():
    spans = [Span(2, 4, "in"), Span(0, 6, "out"), Span(5, 9, "over"), Span(6, 7, "touches")]
    assert layers(TEXT, spans) == [
        (Segment(0, 6, "out"), Segment(6, 7, "touches"), Segment(7, 10, None)),
        (Segment(0, 2, None), Segment(2, 4, "in"), Segment(4, 5, None), Segment(5, 9, "over"), Segment(9, 10, None)),
    ]


def test_no_span_no_row():
    assert layers(TEXT, []) == []
    assert layers("", [Span(0, 3, "a")]) == []


def test_what_lies_beyond_the_text_is_left_out():
    assert layers(TEXT, [Span(-3, 2, "a"), Span(8, 99, "b"), Span(10, 12, "c"), Span(4, 4, "d")]) == [
        (Segment(0, 2, "a"), Segment(2, 8, None), Segment(8, 10, "b"))
    ]


SPANS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(1, 10), st.sampled_from("abc")).map(
        lambda found: Span(min(found[0], found[1] - 1), max(found[0] + 1, found[1]), found[2])
    ),
    max_size=12,
)


@given(SPANS)
def test_rows_cover_the_text_and_hold_every_span(spans):
    rows = layers(TEXT, spans)
    for row in rows:
        assert "".join(TEXT[segment.start : segment.stop] for segment in row) == TEXT
        assert all(before.stop == after.start for before, after in pairwise(row))
    kept = [(s.start, s.stop, s.label) for row in rows for s in row if s.label is not None]
    assert sorted(kept) == sorted((s.start, s.stop, s.label) for s in spans)
    deepest = max((sum(s.start <= place < s.stop for s in spans) for place in range(10)), default=0)
    assert len(rows) == deepest

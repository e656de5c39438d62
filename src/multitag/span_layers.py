"""Spans of one text laid out in rows in which none overlaps another: what terminals and pages draw them from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from multitag.types import Span


class Segment(NamedTuple):
    """Characters `start` up to, not including, `stop`, and the label of the span that they are; `None` for none."""

    start: int
    stop: int
    label: str | None


def layers(text: str, spans: Iterable[Span]) -> list[tuple[Segment, ...]]:
    """As few rows as hold all spans side by side; within a nest, the outer span is in the earlier row.

    Each span goes into the first row that is free where it stands, earlier and longer ones first: no order needs fewer
    rows. The segments of a row cover the text from end to end, one for each span and one for each gap.

    Args:
        text: The text.
        spans: Any spans of it, overlapping and equal ones too. What lies beyond the text is left out.

    Returns:
        The rows; none where there is no span.
    """
    cut = (Span(max(span.start, 0), min(span.stop, len(text)), span.label) for span in spans)
    rows: list[list[Span]] = []
    for span in sorted(cut, key=lambda span: (span.start, -span.stop, span.label)):
        if span.start >= span.stop:
            continue
        free = next((row for row in rows if row[-1].stop <= span.start), None)
        if free is None:
            rows.append([span])
        else:
            free.append(span)
    return [tuple(_covering(row, len(text))) for row in rows]


def _covering(row: list[Span], length: int) -> Iterator[Segment]:
    """The spans of a row, and the gaps before, between and after them."""
    done = 0
    for span in row:
        if done < span.start:
            yield Segment(done, span.start, None)
        yield Segment(span.start, span.stop, span.label)
        done = span.stop
    if done < length:
        yield Segment(done, length, None)

"""Stretches of text as plain half-open ranges: merging those that overlap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from multitag.types import Span


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans of one label that share a character become one; those that only touch stay two.

    Spans of different labels are left as they are. In the order of the text, and of the labels' names at one place.
    """
    by_label: dict[str, list[Span]] = {}
    for span in spans:
        by_label.setdefault(span.label, []).append(span)
    found = [span for group in by_label.values() for span in _joined(group)]
    return tuple(sorted(found, key=lambda span: (span.start, span.stop, span.label)))


def _joined(spans: list[Span]) -> Iterator[Span]:
    ordered = sorted(spans, key=lambda span: (span.start, span.stop))
    current = ordered[0]
    for span in ordered[1:]:
        if span.start < current.stop:
            current = Span(current.start, max(current.stop, span.stop), current.label)
        else:
            yield current
            current = span
    yield current

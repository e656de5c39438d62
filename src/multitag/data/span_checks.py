"""Marks against the text that they are of."""

from __future__ import annotations

from collections.abc import Sequence

from multitag.data.span_cells import Mark
from multitag.types import Span


def checked_spans(marks: Sequence[Mark], text: str | None) -> tuple[tuple[Span, ...], list[str]]:
    """The spans of a text in its order, each once, and what is wrong with the marks that are none.

    Offsets count characters. Where the fragments that stand beside them say that they count UTF-16 units, as tools in
    a browser do (an emoji is two), they are converted.
    """
    words = text or ""
    marks = _converted(marks, words)
    faults = [
        f"span {number}, {mark}: {fault}" for number, mark in enumerate(marks, 1) if (fault := _fault(mark, words))
    ]
    found = {Span(mark.start, mark.stop, mark.label) for mark in marks if not _fault(mark, words)}
    return tuple(sorted(found, key=lambda span: (span.start, span.stop, span.label))), faults


def _fault(mark: Mark, text: str) -> str:
    if mark.start < 0:
        return "starts before the text"
    if mark.stop > len(text):
        return f"ends beyond the text, which has {len(text)} characters"
    if mark.start >= mark.stop:
        return "is empty"
    found = text[mark.start : mark.stop]
    if mark.fragment is not None and mark.fragment != found:
        return f"holds {_short(found)}, not {_short(mark.fragment)}"
    return ""


def _short(text: str, limit: int = 40) -> str:
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")


def _converted(marks: Sequence[Mark], text: str) -> Sequence[Mark]:
    """The marks in characters, if only UTF-16 units fit all their fragments."""
    if text.isascii() or all(mark.fragment is None for mark in marks) or not any(_fault(mark, text) for mark in marks):
        return marks
    place_of: dict[int, int] = {}
    unit = 0
    for place, character in enumerate(text):
        place_of[unit] = place
        unit += 1 + (character > "\uffff")
    place_of[unit] = len(text)
    if any(mark.start not in place_of or mark.stop not in place_of for mark in marks):
        return marks
    moved = [Mark(place_of[mark.start], place_of[mark.stop], mark.label, mark.fragment) for mark in marks]
    return marks if any(_fault(mark, text) for mark in moved) else moved

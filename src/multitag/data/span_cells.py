"""Cells that mark stretches of a text: which columns hold them, and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from multitag.data.labels import label_text
from multitag.data.values import is_null

SPAN_NAMES: Final = (
    "spans",
    "entities",
    "ents",
    "labels",
    "label",
    "annotations",
    "annotation",
    "techniques",
    "tags",
)
"""Columns that may hold spans, in order of preference; the first three may hold nothing but empty lists."""
_STARTS: Final = ("start", "start_offset", "start_char", "begin")
_STOPS: Final = ("end", "end_offset", "end_char", "stop")
_LABELS: Final = ("label", "technique", "labels", "type", "tag", "entity", "category", "class")
_FRAGMENTS: Final = ("text_fragment", "fragment", "text")


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of text as it is written, not yet compared with the text.

    Attributes:
        start: Its first character, as the file counts.
        stop: The one after its last.
        label: Its label.
        fragment: What the file says is there, if it does.
    """

    start: int
    stop: int
    label: str
    fragment: str | None = None

    def __str__(self) -> str:
        return f"{self.start}-{self.stop} {self.label!r}"


def find_span_column(columns: Mapping[str, Sequence[Any]]) -> str | None:
    """The column that marks spans: of the usual names, by what its cells hold."""
    plain = {name.lower(): name for name in reversed(list(columns))}
    there = [plain[name] for name in SPAN_NAMES if name in plain]
    for name in there:
        if any(_marks_spans(cell) for cell in columns[name]):
            return name
    for name in there:
        cells = [cell for cell in columns[name] if not is_null(cell)]
        if name.lower() in SPAN_NAMES[:3] and cells and all(_opened(cell) in ([], {}) for cell in cells):
            return name
    return None


def read_marks(cell: Any) -> tuple[list[Mark] | None, list[str]]:
    """The marks in a cell, `None` where it is empty, and what is wrong with those that are left out.

    Accepted: a list of objects with start, end and label, or of triples; an object of such lists (spaCy's groups);
    the same as JSON.
    """
    if is_null(cell) or (isinstance(cell, str) and not cell.strip()):
        return None, []
    opened = _opened(cell)
    if isinstance(opened, str | int | float):
        return [], [f"{str(cell)[:60]!r} is no list of spans"]
    marks: list[Mark] = []
    faults: list[str] = []
    for number, entry in enumerate(_entries(opened), 1):
        try:
            marks += _read(entry)
        except (ValueError, TypeError) as error:
            faults.append(f"span {number} {error}")
    return marks, faults


def _marks_spans(cell: Any) -> bool:
    opened = _opened(cell)
    if isinstance(opened, str | int | float | bytes) or is_null(opened):
        return False
    first = next(iter(_entries(opened)), None)
    if isinstance(first, Mapping):
        return any(key in first for key in _STARTS)
    return (
        isinstance(first, Sequence)
        and not isinstance(first, str)
        and len(first) > 2
        and all(isinstance(end, int) for end in first[:2])
    )


def _opened(cell: Any) -> Any:
    """A cell of a text format, which may hold JSON."""
    if isinstance(cell, str) and cell.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _entries(cell: Any) -> Iterator[Any]:
    """The entries of a list, or of all lists of an object: ``{"entities": [...]}``, ``{"sc": [...]}``."""
    if isinstance(cell, Mapping):
        for group in cell.values():
            if isinstance(group, Sequence) and not isinstance(group, str):
                yield from group
    else:
        yield from cell


def _read(entry: Any) -> list[Mark]:
    """One mark for each label of an entry."""
    if isinstance(entry, Mapping):
        start, stop, label = (_value(entry, names) for names in (_STARTS, _STOPS, _LABELS))
        fragment = next((entry[name] for name in _FRAGMENTS if isinstance(entry.get(name), str)), None)
    elif isinstance(entry, Sequence) and not isinstance(entry, str) and len(entry) > 2:
        start, stop, label = entry[:3]
        fragment = None
    else:
        raise ValueError(f"is {str(entry)[:60]!r}, neither an object with start, end and label nor such a triple")
    labels = label if isinstance(label, Sequence) and not isinstance(label, str) else [label]
    if not labels or any(is_null(name) or not label_text(name) for name in labels):
        raise ValueError(f"({start}-{stop}) has no label")
    return [Mark(_offset("start", start), _offset("end", stop), label_text(name), fragment) for name in labels]


def _value(entry: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        if not is_null(entry.get(name)):
            return entry[name]
    raise ValueError(f"has no {names[0]!r}; it has {', '.join(map(repr, entry)) or 'nothing'}")


def _offset(what: str, value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
        raise ValueError(f"has the {what} {value!r}, which is no number of characters")
    return int(value)

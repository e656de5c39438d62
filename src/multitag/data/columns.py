"""Which column of a table holds what: by usual names, or as told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from multitag.data.usual_names import USUAL_NAMES
from multitag.errors import DataError
from multitag.registry import closest

_PICTURE_ENDING: Final = re.compile(r"\.(jpe?g|png|webp|gif|bmp|tiff?|avif)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """The user's say on which column holds what.

    `None` finds a column by its usual names in any letter case, ``""`` says that there is none.

    Attributes:
        image: The picture's file name, or its bytes.
        text: The text; several columns are joined by a space.
        labels: The column with the labels, or one column of 0 and 1 for each label.
        id: What names a row, in messages and in predictions.
        group: Rows of one group never end up on both sides of a split.
        spans: The stretches of the text that bear labels.
    """

    image: str | None = None
    text: str | tuple[str, ...] | None = None
    labels: str | tuple[str, ...] | None = None
    id: str | None = None
    group: str | None = None
    spans: str | None = None


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """The real names of the columns that a table has; `None` or ``()`` where it has none.

    Attributes:
        id: The column that names a row.
        image: The column with pictures.
        text: The columns whose texts are joined.
        labels: The column with labels in each cell.
        indicators: The columns of 0 and 1, one a label.
        group: The column that keeps rows together.
        spans: The column with spans in each cell.
        every: All columns of the table.
    """

    id: str | None = None
    image: str | None = None
    text: tuple[str, ...] = ()
    labels: str | None = None
    indicators: tuple[str, ...] = ()
    group: str | None = None
    spans: str | None = None
    every: tuple[str, ...] = ()

    def unused(self) -> list[str]:
        """The columns that mean nothing yet, among which the 0/1 columns may be."""
        used = {self.id, self.image, self.labels, self.group, self.spans, *self.text, *self.indicators}
        return [name for name in self.every if name not in used]


def find_columns(
    name: str, every: Sequence[str], asked: Columns, marking: str | None = None
) -> tuple[FoundColumns, list[str]]:
    """The columns of a table, and what was ambiguous about them.

    Args:
        name: The table, for messages.
        every: All its column names.
        asked: The user's say.
        marking: The column that marks spans, going by what it holds.

    Raises:
        DataError: A column that was asked for is not there, or there is neither a picture nor a text.
    """
    missing: list[str] = []
    notes: list[str] = []
    spans = _first(_find("spans", every, asked.spans, missing, notes)) if asked.spans is not None else marking
    others = [column for column in every if column != spans]
    found = {
        role: _find(role, every if said is not None else others, said, missing, notes)
        for role in USUAL_NAMES
        for said in (getattr(asked, role),)
    }
    if missing:
        raise DataError(f"{name} has {'; '.join(missing)}. Its columns: {_listed(every)}.")
    indicators = found["labels"] if isinstance(asked.labels, tuple) else ()
    columns = FoundColumns(
        id=_first(found["id"]),
        image=_first(found["image"]),
        text=found["text"],
        labels=None if indicators else _first(found["labels"]),
        indicators=indicators,
        group=_first(found["group"]),
        spans=spans,
        every=tuple(every),
    )
    if columns.image is None and not columns.text:
        raise DataError(_nothing_to_read(name, every))
    return columns, notes


def missing_labels(name: str, columns: FoundColumns) -> DataError:
    """The error for a table that must have labels and has none."""
    return DataError(
        f"{name} has no column with labels. Its columns: {_listed(columns.every)}. "
        f"Fix: name it 'labels', or say which it is (labels=...); "
        f"one column of 0 and 1 for each label is accepted too."
    )


def _find(
    role: str, every: Sequence[str], asked: str | tuple[str, ...] | None, missing: list[str], notes: list[str]
) -> tuple[str, ...]:
    if asked is None:
        return _usual(role, every, notes)
    names: list[str] = []
    for want in (asked,) if isinstance(asked, str) else asked:
        same = [name for name in every if name == want] or [name for name in every if name.lower() == want.lower()]
        if same:
            names.append(same[0])
        elif want:
            near = closest(want, list(every)).removesuffix(".")
            missing.append(f"no column {want!r} for the {role}{near}")
    return tuple(names)


def _usual(role: str, every: Sequence[str], notes: list[str]) -> tuple[str, ...]:
    plain = {re.sub(r"[\W_]", "", name).lower(): name for name in reversed(every)}
    for names in USUAL_NAMES[role]:
        there = [plain[name] for name in names if name in plain]
        if len(there) > 1:
            others = ", ".join(map(repr, there[1:]))
            notes.append(f"the {role} is taken from column {there[0]!r}; {others} would do too ({role}=... chooses)")
        if there:
            return (there[0],)
    return ()


def _first(names: tuple[str, ...]) -> str | None:
    return names[0] if names else None


def _listed(names: Sequence[str], limit: int = 30) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(map(repr, names[:limit])) + more


def _nothing_to_read(name: str, every: Sequence[str]) -> str:
    if any(_PICTURE_ENDING.search(column) or column.isdecimal() for column in every):
        return (
            f"{name} seems to have no header: its first line is {_listed(every)}. "
            f"Fix: put a line with the columns' names before it, e.g. 'image,labels,caption'."
        )
    return (
        f"{name} has no column with pictures and none with texts. Its columns: {_listed(every)}. "
        f"Fix: name one 'image' or 'text', or say which it is (image=..., text=...)."
    )

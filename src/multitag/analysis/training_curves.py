"""The history of a run as curves, one for each network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAMING = ("member", "role", "model")
_NOT_DRAWN = {"epoch", "stage", "seconds", *_NAMING}


@dataclass(frozen=True)
class TrainingCurve:
    """What one network's training wrote down.

    Attributes:
        name: The network; ``""`` where there is one.
        epochs: (E,).
        series: What was measured after each epoch, by name, each (E,); `None` where it was not.
        seconds: How long all epochs took.
    """

    name: str
    epochs: tuple[int, ...]
    series: dict[str, tuple[float | None, ...]]
    seconds: float


def training_curves(history: Sequence[Mapping[str, Any]]) -> list[TrainingCurve]:
    """The curves, in the order in which networks were trained.

    Args:
        history: A row for each epoch, as in history.jsonl: ``epoch``, numbers, and what names the network.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in history:
        name = ", ".join(str(row[key]) for key in _NAMING if key in row)
        groups.setdefault(name, []).append(row)
    return [_curve(name, rows) for name, rows in groups.items()]


def _curve(name: str, rows: Sequence[Mapping[str, Any]]) -> TrainingCurve:
    keys = dict.fromkeys(key for row in rows for key, value in row.items() if key not in _NOT_DRAWN and _number(value))
    return TrainingCurve(
        name,
        tuple(int(row.get("epoch", place)) for place, row in enumerate(rows, 1)),
        {key: tuple(float(row[key]) if _number(row.get(key)) else None for row in rows) for key in keys},
        float(sum(row.get("seconds") or 0.0 for row in rows)),
    )


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

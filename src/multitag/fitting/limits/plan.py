"""What a time limit made of each member: told, written down, and found again by a training that is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from multitag.deadline import said
from multitag.errors import RunError
from multitag.runs.files import read_json
from multitag.runs.folder import write_json

Status = Literal["whole", "shortened", "left_out", "dropped"]
"""Trained as asked for; with fewer epochs; not begun; or begun and not done in time."""
_FIX = "Fix: --overwrite to start anew"


@dataclass
class Part:
    """What became of a member, or of the single model.

    Attributes:
        status: As above.
        asked: The epochs of each stage that were asked for; none where it was not looked at.
        epochs: Those it was given, at most.
        estimate: Seconds that it was thought to take as asked for.
        left: Seconds that were left when that was decided.
        seconds: What it took.
        folds: Of how many folds, where there was no time for those that were asked for.
        first: How many of the folds, where there was no time for all.
    """

    status: Status
    asked: tuple[int, ...] = ()
    epochs: tuple[int, ...] = ()
    estimate: float | None = None
    left: float | None = None
    seconds: float | None = None
    folds: int | None = None
    first: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values; what is not known is left out."""
        found = {key: value for key, value in asdict(self).items() if value not in (None, ())}
        return {key: round(value, 1) if isinstance(value, float) else value for key, value in found.items()}


@dataclass
class Plan:
    """What became of a training under its time limit.

    Attributes:
        time_limit: In seconds; `None` where there was none.
        parts: Each member that was looked at, ``""`` for a single model.
        folds: 0 where the limit left time for one network and not for the folds that were asked for.
        to_come: Members not yet trained when this was written.
    """

    time_limit: float | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    folds: int | None = None
    to_come: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.time_limit is not None or bool(self.parts) or bool(self.to_come)

    @property
    def next(self) -> tuple[str, float | None] | None:
        """The first member that there was no time for, and about how many seconds more it wants."""
        lacking = ((name, part) for name, part in self.parts.items() if part.status in ("left_out", "dropped"))
        return next(((name, part.estimate) for name, part in lacking), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json."""
        found: dict[str, Any] = {
            "time_limit": self.time_limit,
            "members": {name or "model": part.to_dict() for name, part in self.parts.items()},
        }
        if self.folds is not None:
            found["folds"] = self.folds
        if self.to_come:
            found["to_come"] = list(self.to_come)
        if self.next is not None:
            name, seconds = self.next
            found["next"] = {"member": name, "seconds": None if seconds is None else round(seconds, 1)}
        return found

    def lines(self) -> list[str]:
        """What became of each part, and what would come next, a line each."""
        lines = []
        for name, part in self.parts.items():
            called = f"'{name}'" if name else "the model"
            epochs = f"{sum(part.epochs)} of {sum(part.asked)} epochs at most"
            took = "" if part.folds is None else f", in {part.folds} folds"
            took += "" if part.first is None else f", the first {part.first} folds alone"
            took += "" if part.seconds is None else f", {said(part.seconds)}"
            lines.append(
                {
                    "whole": f"{called}: {'all epochs' if part.folds or part.first else 'trained as asked for'}{took}",
                    "shortened": f"{called}: shortened to {epochs}{took}",
                    "left_out": f"{called}: left out",
                    "dropped": f"{called}: not done in time, and dropped",
                }[part.status]
            )
        if self.folds is not None:
            lines.append("one network and a share of the rows held out, in place of folds: there was no time for more")
        if self.next is not None:
            name, seconds = self.next
            lines.append(f"next: '{name}'" + ("" if seconds is None else f", about {said(seconds)} more"))
        return lines

    def keep(self, path: Path) -> None:
        """Write down what a resumed training must do again: the epochs of the parts begun, and the folds.

        Raises:
            RunError: The file cannot be written.
        """
        begun = {name: part.to_dict() for name, part in self.parts.items() if part.status in ("whole", "shortened")}
        write_json(path, {"parts": begun, "folds": self.folds})

    @classmethod
    def kept(cls, path: Path, time_limit: float | None) -> Plan:
        """The plan of a training that is resumed; an empty one where nothing was written down.

        Raises:
            RunError: The file is damaged.
        """
        if not path.is_file():
            return cls(time_limit)
        found = read_json(path)
        try:
            parts = {str(name): _part(values) for name, values in found["parts"].items()}
            folds = found["folds"]
            if folds not in (None, 0):
                raise ValueError(f"folds = {folds!r}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{path} is damaged: {type(error).__name__}: {error}. {_FIX}") from error
        return cls(time_limit, parts, folds)


def _part(values: Mapping[str, Any]) -> Part:
    status, asked, epochs = values["status"], _lengths(values, "asked"), _lengths(values, "epochs")
    if status not in ("whole", "shortened") or len(asked) != len(epochs):
        raise ValueError(f"status = {status!r} with the epochs {epochs} of {asked}")
    folds, first = values.get("folds"), values.get("first")
    for name, count, least in (("folds", folds, 2), ("first", first, 1)):
        if count is not None and (not isinstance(count, int) or count < least):
            raise ValueError(f"{name} = {count!r}")
    return Part(status, asked, epochs, values.get("estimate"), folds=folds, first=first)


def _lengths(values: Mapping[str, Any], key: str) -> tuple[int, ...]:
    return tuple(int(length) for length in values.get(key, ()))

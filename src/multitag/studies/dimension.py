"""One setting of a search: the values it may take, and how a trial draws one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from multitag.studies.factors import as_text


class Trial(Protocol):
    """What draws values: a trial of Optuna."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number."""
        ...

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of several values."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from low to high, both included.

    Attributes:
        low: The least; whole numbers where both ends are.
        high: The greatest.
        log: Whether each factor of ten is as likely as another, as for rates.
    """

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is of whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: Any) -> bool:
        """Whether a value lies in it."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (isinstance(value, int) or not self.whole)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{', log scale' if self.log else ''}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values, each as it is written after ``--set KEY=``."""

    values: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        """Whether a value is one of them."""
        return as_text(value) in self.values

    def __str__(self) -> str:
        return ", ".join(self.values)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A setting that a search changes.

    Attributes:
        key: The setting.
        values: What it may be.
        only: A component's name, for an option that is there only where this one is chosen.
    """

    key: str
    values: Range | Choice
    only: str | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.key if self.only is None else f"{self.key} ({self.only})"

    def stored(self, value: Any) -> Any:
        """A value as a trial keeps it."""
        return as_text(value) if isinstance(self.values, Choice) else value

    def draw(self, trial: Trial) -> str:
        """A value as it is written after ``--set KEY=``."""
        values = self.values
        if isinstance(values, Choice):
            return str(trial.suggest_categorical(self.name, list(values.values)))
        if values.whole:
            return as_text(trial.suggest_int(self.name, int(values.low), int(values.high), log=values.log))
        return as_text(float(f"{trial.suggest_float(self.name, values.low, values.high, log=values.log):.4g}"))

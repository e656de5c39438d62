"""How long work may take: durations as people write them, and the moment at which it must be done."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from multitag.errors import ConfigError, MultitagError

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_WRITTEN = re.compile(rf"(?:({_NUMBER})h)?(?:({_NUMBER})m(?:in)?)?(?:({_NUMBER})s)?")


class OutOfTime(MultitagError):
    """Work that must be done by a moment cannot be, or was not."""

    exit_code = 4


def parse_duration(given: object) -> float:
    """Seconds: ``"30m"``, ``"90s"``, ``"2h"``, ``"1h30m"``, or a number of seconds.

    Raises:
        ConfigError: It is none of these, or not above 0.
    """
    seconds = _seconds(given)
    if seconds is None or not (0 < seconds < math.inf):
        raise ConfigError(f"'{given}' is no duration above 0. Accepted: 30m, 90s, 2h, 1h30m, or a number of seconds")
    return seconds


def _seconds(given: object) -> float | None:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    if not isinstance(given, str):
        return None
    text = given.replace(" ", "").lower()
    if re.fullmatch(_NUMBER, text):
        return float(text)
    parts = _WRITTEN.fullmatch(text)
    if not text or parts is None:
        return None
    return sum(float(part) * unit for part, unit in zip(parts.groups(), _UNITS.values(), strict=True) if part)


def said(seconds: float) -> str:
    """A duration in words that are exact enough: ``"8 s"``, ``"2 min 20 s"``, ``"14 min"``, ``"2 h 5 min"``."""
    if seconds < 99.5:
        return f"{max(0, round(seconds))} s"
    if (tens := round(seconds / 10)) < 60:
        return _parts(tens // 6, "min", tens % 6 * 10, "s")
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else _parts(minutes // 60, "h", minutes % 60, "min")


def _parts(large: int, unit: str, small: int, of: str) -> str:
    return f"{large} {unit}" + (f" {small} {of}" if small else "")


@dataclass(frozen=True)
class Deadline:
    """The moment at which work must be done.

    Attributes:
        limit: Seconds between begin and end.
        end: On the clock.
        clock: In seconds; never set back.
    """

    limit: float
    end: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The moment in so many seconds."""
        return cls(seconds, clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds to the end; negative once it has passed."""
        return self.end - self.clock()

    @property
    def spent(self) -> float:
        """Seconds since the begin."""
        return self.limit - self.left

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left <= 0

    def earlier(self, seconds: float) -> Deadline:
        """The same with a reserve kept at its end."""
        return replace(self, end=self.end - seconds, limit=self.limit - seconds)

    def part(self, count: int) -> Deadline:
        """Of what is left, one of `count` like parts; nothing more where nothing is left."""
        return Deadline.after(max(0.0, self.left) / max(1, count), self.clock)

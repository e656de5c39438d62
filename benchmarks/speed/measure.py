"""Two ways of doing the same thing, timed in turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

RUNS = 5
Work = Callable[[], Any]


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was measured.
        ours: Median seconds, or what `unit` says; `None` where it did not run.
        beside: Median seconds of what stands beside it; `None` where the goal is a time.
        beside_name: What stands beside it.
        ratio: beside / ours, the median over the runs: how many times as fast.
        spread: Lowest and highest ratio of the runs; of our seconds where there is no ratio.
        goal: In words.
        met: Whether the median meets it; `None` where there is no goal, or it did not run.
        note: What else to know.
        unit: Of `ours`, `beside`, and of `spread` where there is no ratio.
    """

    name: str
    ours: float | None
    beside: float | None
    beside_name: str
    ratio: float | None
    spread: tuple[float, float] | None
    goal: str
    met: bool | None
    note: str = ""
    unit: str = "s"

    def to_dict(self) -> dict[str, Any]:
        """For JSON, rounded to what can be meant."""
        return {key: _rounded(value) for key, value in asdict(self).items()}


def compare(
    name: str,
    ours: Work,
    beside: Work,
    *,
    beside_name: str,
    at_least: float,
    runs: int = RUNS,
    scale: float = 1.0,
    note: str = "",
) -> Figure:
    """How many times as fast ours is, by turns in one process.

    Args:
        name: Of the figure.
        ours: Does it our way.
        beside: Does it the other way.
        beside_name: What that is.
        at_least: The goal for the ratio.
        runs: How often; the first of each is done once more before, unmeasured.
        scale: The other way does 1 / scale of the work: its time counts times this.
        note: What else to know.
    """
    ours()
    beside()
    times = [(timed(ours), timed(beside) * scale) for _ in range(runs)]
    ratios = [there / here for here, there in times]
    here, there = (float(np.median([pair[side] for pair in times])) for side in (0, 1))
    ratio = float(np.median(ratios))
    goal = f"at least {at_least:g} times as fast"
    return Figure(name, here, there, beside_name, ratio, (min(ratios), max(ratios)), goal, ratio >= at_least, note)


def within(name: str, ours: Work, *, seconds: float, runs: int = RUNS, note: str = "") -> Figure:
    """Whether ours is done in so many seconds."""
    times = [timed(ours) for _ in range(runs)]
    median = float(np.median(times))
    goal = f"within {seconds:g} s"
    return Figure(name, median, None, "", None, (min(times), max(times)), goal, median <= seconds, note)


def reached(name: str, value: float, unit: str, at_most: float, *, note: str = "") -> Figure:
    """A figure taken once, and whether it is at most so much."""
    return Figure(name, value, None, "", None, None, f"at most {at_most:g} {unit}", value <= at_most, note, unit)


def known(name: str, value: float, unit: str, *, note: str = "") -> Figure:
    """A figure taken once, without a goal of its own."""
    return Figure(name, value, None, "", None, None, "", None, note, unit)


def skipped(name: str, why: str) -> Figure:
    """A line for what did not run, which says why: neither met nor missed."""
    return Figure(name, None, None, "", None, None, "", None, f"did not run: {why}")


def timed(work: Work) -> float:
    """Seconds of one run."""
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, tuple):
        return [_rounded(item) for item in value]
    return value

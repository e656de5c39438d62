"""The run of the members so far, written while the others train: usable at any moment, whatever happens then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from multitag.fitting.limits.planner import Planner
from multitag.fitting.outcome import Outcome
from multitag.pipeline import Pipeline
from multitag.runs.artifacts import save_run
from multitag.runs.files import to_come
from multitag.runs.folder import is_whole
from multitag.training import make_accelerator


class Standing(Protocol):
    """What is told of a training, of its members so far included."""

    @property
    def pipeline(self) -> Pipeline:
        """The fitted model."""
        ...

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """A row for each epoch."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json."""
        ...


def standing_run(
    folder: Path | None, planner: Planner, fitted: Callable[[Outcome, tuple[str, ...]], Standing]
) -> Callable[[Outcome, tuple[str, ...]], None] | None:
    """Writes the ensemble of the members so far to the run folder, as a whole run; `None` where there is no place.

    A finished run that stands there stays until the new one is complete; the run of an earlier training's members so
    far is replaced.

    Args:
        folder: The run folder; `None` for a training that keeps nothing.
        planner: Told how long it takes: the end of the training takes as long.
        fitted: Scores an outcome, given the names of the members to come.
    """
    if folder is None or (is_whole(folder) and not to_come(folder)):
        return None
    if not make_accelerator().is_main_process:
        return None

    def write(outcome: Outcome, names: tuple[str, ...]) -> None:
        started = time.monotonic()
        standing = fitted(outcome, names)
        save_run(standing.pipeline, folder, metrics=standing.to_dict(), history=standing.history)
        planner.closing(time.monotonic() - started)

    return write

"""How every training begins, and what it says when it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from multitag.config import Config
from multitag.fitting.clock import Clock
from multitag.fitting.label_checks import listed
from multitag.interrupts import Interrupted
from multitag.runs.claim import begin
from multitag.runs.files import to_come
from multitag.runs.folder import is_started, is_whole
from multitag.training import make_accelerator


@contextmanager
def interruptible(clock: Clock, folder: Path | None) -> Iterator[None]:
    """Ctrl-C within the block is told as what it is, with what is kept.

    Raises:
        Interrupted: In place of `KeyboardInterrupt`.
    """
    try:
        yield
    except Interrupted as error:
        if standing := _standing(folder):
            raise Interrupted(f"{error}. {standing}") from error
        raise
    except KeyboardInterrupt as error:
        stage = clock.stage or "checking"  # nothing else comes before it
        kept = "nothing was begun" if stage == "checking" else "the feature store keeps what was encoded"
        if folder is not None and is_started(folder):
            kept += f", and {folder} what was trained: go on with --resume"
        if standing := _standing(folder):
            kept += f". {standing}"
        raise Interrupted(f"stopped while {stage}; {kept}") from error


def _standing(folder: Path | None) -> str:
    """What is said of the run of an ensemble's members so far; empty where there is none."""
    if folder is None or not is_started(folder) or not is_whole(folder) or not (names := to_come(folder)):
        return ""
    return f"{folder} is a whole run of the members before, to be used as any other; {listed(names)} were to come"


def begin_in(folder: Path | None, config: Config, *, resume: bool) -> None:
    """Make the place where a training keeps its state, once for all processes.

    Args:
        folder: The run folder; `None` for a training that keeps nothing.
        config: As it was asked for.
        resume: Go on with a state that is there.

    Raises:
        RunError: The folder cannot be made.
    """
    processes = make_accelerator(config.train.precision)
    if folder is not None and processes.is_main_process:
        begin(folder, config, resume=resume)
    processes.wait_for_everyone()

"""Who may write into a run folder, and where a training keeps its state there.

A training works inside `checkpoints/`; what stood in the folder before stays as it is until the new run is complete.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multitag.config import Config
from multitag.errors import ConfigError, RunError
from multitag.runs.folder import (
    CARD,
    CHECKPOINTS,
    CONFIG,
    EVERY,
    PLAN,
    TEACHER,
    TRACKER,
    WRITING,
    is_started,
    is_whole,
    write_text,
)

_DONE = ".done"


def require_free(folder: Path, config: Config, *, resume: bool, overwrite: bool) -> None:
    """Refuse a folder that a training of `config` must not write into; nothing is changed.

    Args:
        folder: The run folder asked for.
        config: What is to be trained.
        resume: Whether to go on with a training that was cut short there.
        overwrite: Whether to replace a run that is there.

    Raises:
        RunError: The folder is a file, holds something else, a run, or a training that was cut short or is of
            another configuration.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; --out wants a folder")
    if not folder.is_dir():
        return
    found = {entry.name for entry in folder.iterdir()} - {WRITING, _DONE, CHECKPOINTS, TRACKER}
    run = is_whole(folder) or is_started(folder)
    if (not run and (found - {*EVERY} or found == {CARD})) or _foreign(folder / CHECKPOINTS):
        raise RunError(f"{folder} is not empty and no run. Fix: give --out a new folder")
    if overwrite:
        return
    if is_started(folder):
        if not resume:
            raise RunError(
                f"{folder} holds a training that did not finish. Fix: --resume to go on, or --overwrite to start anew"
            )
        _require_same(folder, config)
    elif is_whole(folder) and resume:
        raise RunError(f"the run in {folder} is finished: there is nothing to resume. Fix: --overwrite to train anew")
    elif found:
        raise RunError(f"{folder} already holds a trained run. Fix: another --out, or --overwrite to replace it")


def begin(folder: Path, config: Config, *, resume: bool) -> None:
    """Make the place where a training keeps its state; without `resume` an older state is dropped.

    Raises:
        RunError: The folder cannot be made.
    """
    checkpoints = folder / CHECKPOINTS
    try:
        if checkpoints.is_dir() and not (resume and is_started(folder)):
            _remove(checkpoints)
        if not (resume and is_started(folder)):
            shutil.rmtree(folder / TRACKER, ignore_errors=True)
        checkpoints.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"the run folder {folder} cannot be made: {error}") from error
    write_text(checkpoints / CONFIG, config.dump())


def finish(folder: Path) -> None:
    """Drop the state of a training whose run is complete."""
    if (folder / CHECKPOINTS).is_dir():
        _remove(folder / CHECKPOINTS)


def _remove(checkpoints: Path) -> None:
    """Remove the state of a training, all of it at once: what is left of it is never taken for a training."""
    done = checkpoints.with_name(_DONE)
    shutil.rmtree(done, ignore_errors=True)
    os.replace(checkpoints, done)
    shutil.rmtree(done, ignore_errors=True)


def _foreign(checkpoints: Path) -> bool:
    """Whether a folder that happens to have our name holds files that are not ours."""
    if not checkpoints.is_dir():
        return checkpoints.exists()
    names = [entry.name for entry in checkpoints.iterdir()]
    return any(name not in (CONFIG, PLAN, TEACHER) and not name.endswith((".safetensors", ".tmp")) for name in names)


def _require_same(folder: Path, config: Config) -> None:
    """Refuse to go on with a training under another configuration."""
    try:
        before = Config.read(folder / CHECKPOINTS / CONFIG)
    except ConfigError as error:
        raise RunError(
            f"{folder} holds a training that did not finish, and its configuration cannot be read: {error}. "
            f"Fix: --overwrite to start anew"
        ) from error
    then, now = _flat(deciding(before)), _flat(deciding(config))
    changed = [
        f"  {key} was {then.get(key, 'not set')!r} and is {now.get(key, 'not set')!r}"
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]
    if changed:
        raise RunError(
            f"{folder} holds a training of another configuration:\n"
            + "\n".join(changed)
            + "\nFix: resume with the settings it was started with, train into another folder, or --overwrite"
        )


def deciding(config: Config) -> dict[str, Any]:
    """The settings that decide a training's result.

    All but where features are stored, how often state is saved, how large a model may be, how long it may take (what
    that decided is kept beside the state), and who is told.
    """
    values = config.model_dump(mode="json", exclude={"store", "recipe"})
    for key in ("checkpoint_seconds", "max_size", "time_limit", "tracker"):
        values["train"].pop(key)
    return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat

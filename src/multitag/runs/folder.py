"""The files of a run folder: their names, which of them a run needs, and writing them whole."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from multitag.errors import RunError

CONFIG, LABELS, MODEL, DECISION = "config.toml", "labels.json", "model.safetensors", "decision.json"
PREPROCESS, HISTORY, METRICS, ENVIRONMENT = "preprocess.json", "history.jsonl", "metrics.json", "environment.json"
HELD_OUT = "held_out.safetensors"
COMBINER, MEMBERS = "combiner.json", "members"
CARD = "README.md"
NEEDED = (CONFIG, LABELS, PREPROCESS, HELD_OUT, DECISION, MODEL)
"""What a run needs; an ensemble holds, in place of the model, its combiner and its members' own runs."""
EVERY = (CARD, METRICS, HISTORY, ENVIRONMENT, MEMBERS, *NEEDED, COMBINER)
CHECKPOINTS = "checkpoints"
PLAN = "plan.json"
"""Beside the checkpoints: what a time limit decided."""
TEACHER = "teacher.answers"
"""Beside the checkpoints: what a fitted run says of the rows; no checkpoint, so its name ends otherwise."""
TRACKER = "tracker"
WRITING = ".writing"


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: a killed process leaves the old one or the new one, whole.

    Raises:
        RunError: The disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON in one step; floats keep every digit."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def is_whole(folder: Path) -> bool:
    """Whether a folder holds all that a run needs."""
    return not lacking(folder)


def lacking(folder: Path) -> list[str]:
    """What a run needs and the folder does not hold."""
    if not (folder / COMBINER).is_file():
        return [name for name in NEEDED if not (folder / name).is_file()]
    runs = [folder / MEMBERS / name for name in _members(folder)]
    missing = [name for name in NEEDED if name != MODEL and not (folder / name).is_file()]
    return missing + [f"{MEMBERS}/{run.name}/{name}" for run in runs for name in lacking(run)]


def _members(folder: Path) -> list[str]:
    """The members that an ensemble's folder should hold; none where the file that names them is damaged."""
    try:
        names = json.loads((folder / PREPROCESS).read_text("utf-8"))["members"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def gives_spans(folder: Path) -> bool:
    """Whether a folder holds the run of a span tagger; what is wrong with a folder is said when it is loaded."""
    try:
        return bool(tomllib.loads((folder / CONFIG).read_text("utf-8")).get("task") == "spans")
    except (OSError, ValueError):
        return False


def is_started(folder: Path) -> bool:
    """Whether a training in the folder was cut short after it had saved something."""
    return any((folder / CHECKPOINTS).glob("*.safetensors"))


def replace_run(folder: Path, write: Callable[[Path], None]) -> None:
    """Put a new run in a folder, in place of one that may be there.

    The new files are written beside the old ones and take their places at the end, the weights or the combiner last: a
    process that is killed while it writes leaves the old run; in the moment of the change, a folder that is not whole.

    Args:
        folder: The folder; made where it is not there.
        write: Writes the new run into the folder that it is given.

    Raises:
        RunError: The folder cannot be written.
    """
    staging = folder / WRITING
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True, exist_ok=True)
        write(staging)
        for name in (MODEL, COMBINER):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / MEMBERS, ignore_errors=True)
        for name in EVERY:
            if (staging / name).exists():
                os.replace(staging / name, folder / name)
            elif name != MEMBERS:
                (folder / name).unlink(missing_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise RunError(f"the run folder {folder} cannot be written: {error}") from error

"""Finished runs of a study on disk: what they scored, and what they said of each row."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from multitag.errors import RunError
from multitag.metrics.answers import Answers
from multitag.runs.files import read_json
from multitag.runs.folder import write_json

RUNS = "runs"
STUDY = "study.json"
FORMAT = 1
_UNKNOWN = 255


@dataclass(frozen=True, eq=False)
class Record:
    """What one run left.

    Attributes:
        key: A hash of its configuration, rows and seed.
        seed: The seed.
        scores: Each metric on the scored rows.
        costs: Seconds of training and of testing, megabytes.
        rows: Numbers of rows.
        epochs: How many epochs were trained, all networks together.
        ids: The scored rows.
        answers: What was said of them, beside their labels.
    """

    key: str
    seed: int
    scores: dict[str, float | None]
    costs: dict[str, float]
    rows: dict[str, int]
    epochs: int
    ids: tuple[str, ...]
    answers: Answers

    def to_dict(self) -> dict[str, Any]:
        """Plain values, without what was said of each row."""
        values = {name: getattr(self, name) for name in ("key", "seed", "scores", "costs", "rows", "epochs")}
        return {"format": FORMAT, **values}


def save_record(record: Record, folder: Path) -> None:
    """Write a record; the file that says it is finished comes last, so a killed process leaves a whole one or none.

    Raises:
        RunError: The folder cannot be written.
    """
    answers = record.answers
    tensors: dict[str, npt.NDArray[Any]] = {
        "gold": np.where(np.isnan(answers.gold), _UNKNOWN, answers.gold).astype(np.uint8),
        "predicted": answers.predicted.astype(np.uint8),
        "probabilities": np.asarray(answers.probabilities, np.float32),
    }
    path = folder / RUNS / f"{record.key}.safetensors"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error}") from error
    write_json(path.with_suffix(".json"), {**record.to_dict(), "ids": list(record.ids)})


def load_record(key: str, folder: Path) -> Record | None:
    """The record of a run that is finished; `None` where there is none, or one of another version.

    Raises:
        RunError: A file is damaged.
    """
    path = folder / RUNS / f"{key}.json"
    if not path.is_file():
        return None
    values = read_json(path)
    if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
        return None
    try:
        tensors = load_file(path.with_suffix(".safetensors"))
        gold = np.where(tensors["gold"] == _UNKNOWN, np.nan, tensors["gold"]).astype(np.float32)
        answers = Answers(gold, tensors["predicted"].astype(bool), tensors["probabilities"].astype(np.float64))
        return Record(**{**values, "ids": tuple(values["ids"])}, answers=answers)
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}. Fix: delete it, and run again") from error


def require_study_folder(folder: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        RunError: It is a file, or is not empty and holds no study.
    """
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; --out wants a folder")
    if folder.is_dir():
        found = {entry.name for entry in folder.iterdir()}
        if found and not found & {RUNS, STUDY, "study.db"}:
            raise RunError(f"{folder} is not empty and holds no study. Fix: give --out a new folder")
    try:
        (folder / RUNS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"the folder {folder} cannot be made: {error}") from error

"""A fitted run as the teacher of a training: opened, asked about the rows, and what of it is written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from multitag.checkpoints import atomic_save
from multitag.combined import networks_of
from multitag.config import Config
from multitag.features.rows import Rows, check_rows
from multitag.fitting.copies import are_copies, kept_keys, row_keys
from multitag.fitting.label_checks import require_same_labels
from multitag.fitting.sides import Sides
from multitag.fitting.teachers.teaching import Teaching
from multitag.pipeline import Keys, Pipeline
from multitag.progress import Progress, within
from multitag.runs.artifacts import load_run
from multitag.runs.folder import CHECKPOINTS, TEACHER
from multitag.tasks.base import Targets
from multitag.training import make_accelerator
from multitag.types import LabelSpace


@dataclass(frozen=True)
class Asked:
    """What came of asking a teacher.

    Attributes:
        teaching: Its answers.
        facts: Plain values, for metrics.json.
        notes: What a user should look at.
    """

    teaching: Teaching
    facts: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Teacher:
    """A fitted run.

    Attributes:
        folder: Where it is.
        pipeline: What it is.
    """

    folder: Path
    pipeline: Pipeline

    @classmethod
    def open(cls, folder: Path, space: LabelSpace) -> Teacher:
        """The run in a folder.

        Raises:
            RunError: It cannot be read, gives spans, or knows other labels than `space`.
        """
        pipeline = load_run(folder)
        require_same_labels(
            f"the teacher ({folder})", pipeline.space, space, fix="a teacher that was trained on these labels"
        )
        return cls(folder, pipeline)

    def facts(self) -> dict[str, Any]:
        """What the run is known again by: its folder, and 64 hex digits of its settings and held-out answers."""
        config = self.pipeline.config
        found: dict[str, Any] = {"run": str(self.folder), "fingerprint": self.fingerprint()}
        if config.preset is not None:
            found["preset"] = config.preset
        return found | {"networks": len(networks_of(self.pipeline))}

    def fingerprint(self) -> str:
        """64 hex digits that change whenever its probabilities do: another training holds out other logits."""
        pipeline, held = self.pipeline, self.pipeline.held_out
        found = hashlib.sha256()
        settings = pipeline.config.model_dump(mode="json", exclude={"store", "recipe", "decision"})
        said = [settings, pipeline.space.names, pipeline.calibration.state()]
        found.update(json.dumps(said, sort_keys=True).encode())
        for part in (held.logits, held.gold, held.rows, pipeline.trained_on, pipeline.pseudo_labelled):
            found.update(str(part.shape).encode() + part.tobytes())
        return found.hexdigest()

    def ask(self, sides: Sides, config: Config, folder: Path | None, *, held_apart: bool, progress: Progress) -> Asked:
        """Its calibrated probabilities of all rows that are trained on.

        All its networks answer every row, those that were trained on it included: answers out of fold are the worse
        lessons (they have mistakes that the labels do not have), and give away more of the labels of other rows.

        Args:
            sides: The rows of the training.
            config: Of the student: what is done about pictures that cannot be used.
            folder: The run folder of the student, where the answers stay for a training that is resumed: another
                machine's, or another number of threads', would differ in the last digits.
            held_apart: Whether the held-out rows are of a table of their own.
            progress: Told about each stage.

        Raises:
            DataError: A picture that only the teacher looks at cannot be used.
        """
        rows = sides.every if sides.pool is None else sides.every + sides.pool
        shown, taught = self._as_seen(rows, config, progress), self.trained_on
        pictures = self.pipeline.config.reads_pictures
        keys, first = np.unique(row_keys(rows), return_index=True)
        probabilities = self._kept_or_made(shown.take(first.tolist()), folder, progress)
        pool_keys = [] if sides.pool is None else [kept_keys(sides.pool)]
        pseudo_labelled = np.unique(np.concatenate([self.pipeline.pseudo_labelled, *pool_keys]))

        def known(rows: Rows) -> int:
            return int(are_copies(rows, taught, pictures=pictures).sum())

        counts = {"trained_on": known(shown)}
        counts["other"] = len(rows) - counts["trained_on"]

        return Asked(
            Teaching(keys, probabilities, taught, pseudo_labelled, sides.pool),
            self.facts() | {"rows": counts, "scored": known(sides.held)},
            tuple(_notes(f"the teacher ({self.folder})", known, sides, held_apart)),
        )

    @property
    def trained_on(self) -> Keys:
        """The keys of all rows that it was trained on, with labels or pseudo-labels."""
        return np.union1d(self.pipeline.trained_on, self.pipeline.pseudo_labelled)

    def _as_seen(self, rows: Rows, config: Config, progress: Progress) -> Rows:
        """The rows with their pictures looked at, where the student's check did not, for it reads none."""
        own = self.pipeline.config
        if config.reads_pictures or not own.reads_pictures:
            return rows
        asked = config.data.model_dump(mode="json", include={"on_bad_image", "max_pixels"})
        return check_rows(rows.samples, own.with_data(asked), progress=within("teacher", progress))

    def _kept_or_made(self, rows: Rows, folder: Path | None, progress: Progress) -> Targets:
        """The probabilities (R, K), from the folder where they are there already."""
        identity = hashlib.sha256(self.fingerprint().encode() + row_keys(rows).tobytes()).hexdigest()
        path = None if folder is None else folder / CHECKPOINTS / TEACHER
        if path is not None and (kept := _read(path, identity)) is not None:
            return kept
        logits = self.pipeline.logits(rows, progress=within("teacher", progress))
        made = self.pipeline.calibration.apply(logits).astype(np.float32)
        if path is not None and make_accelerator().is_main_process:
            atomic_save({"probabilities": torch.from_numpy(made)}, path, {"identity": identity})
        return made


def _read(path: Path, identity: str) -> Targets | None:
    """The probabilities in a file, where it is of the same teacher and rows."""
    try:
        with safe_open(path, "np") as file:
            if (file.metadata() or {}).get("identity") != identity:
                return None
            kept: Targets = file.get_tensor("probabilities")
            return kept
    except (OSError, SafetensorError):  # none is there, or half a one: they are made anew
        return None


def _notes(run: str, seen: Callable[[Rows], int], sides: Sides, held_apart: bool) -> list[str]:
    """What makes the student's scores better than they should be.

    Args:
        run: What the teacher is called.
        seen: Of how many rows the teacher has learned.
        sides: The rows of the training.
        held_apart: Whether the held-out rows are of a table of their own.
    """
    notes = []
    if held_apart and (scored := seen(sides.held)):
        notes.append(
            f"{run} was trained on {scored} of the {len(sides.held)} validation rows, and the student has learned from "
            f"it: scores of them flatter. Fix: validation rows that the teacher has not seen"
        )
    if not (held_apart and sides.chosen is sides.held) and (chosen := seen(sides.chosen)):
        notes.append(
            f"{run} was trained on {chosen} of the {len(sides.chosen)} rows that calibration and decision are fitted "
            f"on. No network of the student is, but what the teacher says of the other rows has learned from them: "
            f"scores of them are a little too good. Fix: --valid, with rows that the teacher "
            f"has not seen" + (", and train.folds = 0 and decision.fit_on = 'valid'" if held_apart else "")
        )
    return notes

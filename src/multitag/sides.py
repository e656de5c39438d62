"""The rows of a training: checked, those to train on and those to choose by parted."""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.config import Config
from multitag.data.image_check import BadImage
from multitag.data.split import split
from multitag.data.table import Table
from multitag.features.rows import Rows, check_rows
from multitag.label_checks import doubts, labelled, leaks, lost_pictures, strangers
from multitag.progress import Progress, silent
from multitag.types import LabelSpace, Sample

Scored = Literal["held_out", "out_of_fold", "valid"]
"""The rows that a fit scores: those that chose epoch and decision; all rows, each by networks that did not see it; or
those of a validation table that chose nothing, because folds did."""


class Sides(NamedTuple):
    """The rows of a training.

    Attributes:
        every: All labelled rows of the training table.
        trained: Those to train on.
        held: Those that scores are given of.
        chosen: Those that calibration and decision are fitted on, each by networks that were not trained on it.
        scored: What these are.
        bad: Rows that lost a picture which could not be used.
        unlabelled: How many rows of the training table were left out.
        notes: What a user should look at.
    """

    every: Rows
    trained: Rows
    held: Rows
    chosen: Rows
    scored: Scored
    bad: tuple[BadImage, ...]
    unlabelled: int
    notes: list[str]

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of rows, for metrics.json."""
        rows = {"train": len(self.trained), "valid": len(self.held)}
        return rows | {"unlabelled": self.unlabelled, "bad_pictures": len(self.bad)}


def content_keys(rows: Rows) -> npt.NDArray[np.int64]:
    """A number for what each row shows: that of its picture, or of its text where it has none. Copies share it."""
    contents = [
        f"picture {picture}" if picture is not None else f"text {sample.text}"
        for sample, picture in zip(rows.samples, rows.hashes, strict=True)
    ]
    digests = [hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()[:8] for content in contents]
    return np.frombuffer(b"".join(digests), "<i8").astype(np.int64)


def take_sides(
    config: Config, space: LabelSpace, table: Table, valid: Table | None, *, progress: Progress = silent
) -> Sides:
    """Check all rows, and part those to train on from those to choose by.

    Copies of a picture, and rows of a group, are on one side; where both sides were given, copies are noted. Where
    folds are trained, or nothing is, all rows are both.

    Args:
        config: How rows are checked, and the share to hold out.
        space: The labels.
        table: Labelled rows.
        valid: The rows to hold out, where they are given.
        progress: Told about pictures looked at.

    Raises:
        DataError: Rows or pictures cannot be used, or there are too few to hold any out.
    """
    samples, left_out = labelled(table)
    notes = [*table.warnings, *left_out, *doubts(samples, space)]
    chosen: list[Sample] = []
    if valid is not None:
        chosen, left_out = labelled(valid)
        notes += [*valid.warnings, *left_out, *strangers(space, chosen)]
    checked = check_rows([*samples, *chosen], config, progress=progress)  # all bad pictures in one error
    notes += lost_pictures(checked.bad)
    every = trained = held = checked.take(range(len(samples)))
    in_folds = config.train.fold_count >= 2
    scored: Scored = "out_of_fold" if in_folds else "held_out"
    if valid is not None:
        held = checked.take(range(len(samples), len(checked)))
        notes += leaks(trained, held)
        scored = "valid" if in_folds else "held_out"
    elif config.trains and not in_folds:
        parts = split(every.samples, space, config.data.valid_share, config.seed, copies=every.hashes)
        trained, held = every.take(parts.train_indices.tolist()), every.take(parts.held_indices.tolist())
    of_all = config.trains and (in_folds or config.decision.fit_on == "out_of_fold")
    return Sides(every, trained, held, every if of_all else held, scored, checked.bad, len(table) - len(samples), notes)

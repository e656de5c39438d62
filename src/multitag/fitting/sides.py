"""The rows of a training: checked, those to train on and those to choose by parted."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.config import Config
from multitag.data.image_check import BadImage
from multitag.data.split import split
from multitag.data.table import Table
from multitag.errors import DataError
from multitag.features.rows import Check, Rows, check_rows
from multitag.fitting.copies import are_copies, content_keys, kept_keys
from multitag.fitting.label_checks import doubts, labelled, leaks, lost_pictures, strangers
from multitag.progress import Progress, silent
from multitag.types import LabelSpace, Sample

__all__ = ["Places", "Scored", "Sides", "content_keys", "take_sides"]

Places = npt.NDArray[np.intp]
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
        pool: Rows without labels for students to learn from, copies of labelled ones not among them; `None` where there
            are no students.
        copies: How many rows were left out of the pool.
    """

    every: Rows
    trained: Rows
    held: Rows
    chosen: Rows
    scored: Scored
    bad: tuple[BadImage, ...]
    unlabelled: int
    notes: list[str]
    pool: Rows | None = None
    copies: int = 0

    @property
    def learned(self) -> Rows:
        """All rows that encoders may learn a vocabulary from."""
        return self.trained if self.pool is None else self.trained + self.pool

    def only(self, places: Places | None) -> Sides:
        """With those rows alone of `chosen`, and of `held` where they are the same; all for `None`."""
        if places is None:
            return self
        chosen = self.chosen.take(places.tolist())
        return self._replace(chosen=chosen, held=chosen if self.scored == "out_of_fold" else self.held)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of rows, for metrics.json."""
        rows = {"train": len(self.trained), "valid": len(self.held)}
        rows |= {"unlabelled": self.unlabelled, "bad_pictures": len(self.bad)}
        return rows if self.pool is None else rows | {"pool": len(self.pool), "pool_copies": self.copies}


def take_sides(
    config: Config,
    space: LabelSpace,
    table: Table,
    valid: Table | None,
    pool: Table | None = None,
    *,
    check: Check = check_rows,
    progress: Progress = silent,
) -> Sides:
    """Check all rows, and part those to train on from those to choose by.

    Copies of a picture, and rows of a group, are on one side; where both sides were given, copies are noted. Where
    folds are trained, or nothing is, all rows are both.

    Args:
        config: How rows are checked, and the share to hold out.
        space: The labels.
        table: Labelled rows.
        valid: The rows to hold out, where they are given.
        pool: Rows to pseudo-label; labels that they may have are not used.
        check: Looks at the pictures.
        progress: Told about pictures looked at.

    Raises:
        DataError: Rows or pictures cannot be used, or there are too few to hold any out.
    """
    samples, left_out = labelled(table)
    notes = [*table.warnings, *left_out, *doubts(samples, space, of_rows=config.task == "labels")]
    chosen: list[Sample] = []
    if valid is not None:
        chosen, left_out = labelled(valid)
        notes += [*valid.warnings, *left_out, *strangers(space, chosen)]
    more = [] if pool is None else [replace(sample, labels=None, unknown=()) for sample in pool.samples]
    checked = check([*samples, *chosen, *more], config, progress=progress)  # all bad pictures in one error
    notes += lost_pictures(checked.bad)
    every = trained = held = checked.take(range(len(samples)))
    in_folds = config.train.fold_count >= 2
    scored: Scored = "out_of_fold" if in_folds else "held_out"
    if valid is not None:
        held = checked.take(range(len(samples), len(samples) + len(chosen)))
        notes += leaks(trained, held)
        scored = "valid" if in_folds else "held_out"
    elif config.trains and not in_folds:
        parts = split(every.samples, space, config.data.valid_share, config.seed, copies=every.hashes)
        trained, held = every.take(parts.train_indices.tolist()), every.take(parts.held_indices.tolist())
    of_all = config.trains and (in_folds or config.decision.fit_on == "out_of_fold")
    sides = Sides(
        every, trained, held, every if of_all else held, scored, checked.bad, len(table) - len(samples), notes
    )
    if pool is None:
        return sides
    return _with_pool(sides, pool, checked.take(range(len(samples) + len(chosen), len(checked))), config)


def _with_pool(sides: Sides, table: Table, rows: Rows, config: Config) -> Sides:
    """The sides with a pool: rows that are no copy of a labelled one, and of no group of which a row is held out.

    Raises:
        DataError: None is left.
    """
    labelled = sides.every + sides.held
    groups = {sample.group for sample in (sides.chosen + sides.held).samples} - {None}
    out = are_copies(rows, kept_keys(labelled), pictures=config.reads_pictures)
    out |= np.array([sample.group in groups for sample in rows.samples], bool)
    count, notes = int(out.sum()), [*sides.notes, *table.warnings]
    if count == len(rows):
        raise DataError(
            f"all {count} rows of {table.name} are copies of labelled rows, or of a group of which rows are held out: "
            f"there is nothing more to learn from. Fix: leave out --unlabeled, or give it other rows"
        )
    if named := sum(sample.labels is not None for sample in table.samples):
        notes.append(f"the labels of {named} rows of {table.name} are not used: it was given as a table without labels")
    if count:
        notes.append(
            f"{count} of the {len(rows)} rows of {table.name} are copies of labelled rows, or of a group of which rows "
            f"are held out, and are left out: a score must not be of rows that were learned from"
        )
    return sides._replace(pool=rows.take(np.flatnonzero(~out).tolist()), copies=count, notes=notes)

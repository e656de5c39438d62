"""Logits of every training row by a model that did not see it."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from multitag.data.split import folds
from multitag.features.rows import Rows
from multitag.fitter import Fitter
from multitag.interrupts import Interrupted
from multitag.pipeline import HeldOut
from multitag.progress import Advance, Progress


def out_of_fold(fitter: Fitter, rows: Rows, *, epochs: int, always_labelled: bool, progress: Progress) -> HeldOut:
    """Train a model on all folds but one, for each fold, and take its logits of that one.

    Args:
        fitter: Trains the models.
        rows: N labelled rows; copies of a picture and rows of a group are in one fold.
        epochs: How long each is trained: as long as the main model was.
        always_labelled: As of `HeldOut`.
        progress: Told about each stage, which fold it is of included.

    Raises:
        DataError: There are too few rows for so many folds.
        Interrupted: Ctrl-C; the message says in which fold.
    """
    config, space = fitter.config, fitter.space
    parts = folds(rows.samples, space, config.decision.folds, config.seed, copies=rows.hashes)
    logits = np.zeros((len(rows), len(space)), np.float32)
    for number, part in enumerate(parts, 1):
        where = f"fold {number} of {len(parts)}"
        trained, held = rows.take(part.train_indices.tolist()), rows.take(part.held_indices.tolist())
        try:
            told = prefixed(progress, where)
            logits[part.held_indices] = fitter.train(
                f"fold{number}", trained, held, epochs=epochs, progress=told
            ).logits
        except Interrupted as error:
            raise Interrupted(f"{where}: {error}") from error
    return HeldOut(logits, space.encode(rows.samples), always_labelled)


def prefixed(progress: Progress, where: str) -> Progress:
    """Progress that says of which part the work is."""

    def told(what: str, total: int, /) -> AbstractContextManager[Advance]:
        return progress(f"{where}: {what}", total)

    return told

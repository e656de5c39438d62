"""The books of a training: which epoch is the best so far, and when a stage, or all, is over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from multitag.checkpoints import Standing


def is_due(stage_epoch: int, length: int, every: int) -> bool:
    """Whether the held-out rows are looked at after this epoch of a stage, counted from 0, of `length`."""
    return (stage_epoch + 1) % every == 0 or stage_epoch + 1 == length


def wins(standing: Standing, score: float | None) -> bool:
    """Whether an epoch of this score is the best so far; as long as none has a score, the last one always is."""
    best = standing.best_score
    if score is None:
        return best is None
    # A score that is not defined (NaN) beats nothing.
    return standing.best_epoch < 0 or (not math.isnan(score) and (best is None or math.isnan(best) or score > best))


def close_epoch(
    standing: Standing, row: dict[str, Any], score: float | None, *, lengths: Sequence[int], patience: int
) -> bool:
    """Take an epoch down and go on to the next, to the next stage, or to the end.

    A stage ends after its epochs, or after `patience` epochs of its own without a better one than the best of all
    stages so far.

    Args:
        standing: Where the training stands, changed in place.
        row: The epoch's row of the history.
        score: What it is compared by.
        lengths: The epochs of each stage.
        patience: As above.

    Returns:
        Whether another stage begins.
    """
    if wins(standing, score):
        standing.best_score, standing.best_epoch = score, standing.epoch
        standing.useful = [*standing.useful, *[0] * (standing.stage + 1 - len(standing.useful))]
        standing.useful[standing.stage] = standing.stage_epoch + 1
    standing.history.append(row)
    standing.epoch, standing.stage_epoch = standing.epoch + 1, standing.stage_epoch + 1
    standing.step, standing.loss_sum = 0, 0.0
    waited = min(standing.epoch - 1 - standing.best_epoch, standing.stage_epoch)
    if standing.stage_epoch < lengths[standing.stage] and waited < patience:
        return False
    if standing.stage + 1 == len(lengths):
        standing.finished = True
        return False
    standing.stage, standing.stage_epoch = standing.stage + 1, 0
    return True


def rows_done(standing: Standing, rows: int, batch_size: int, lengths: Sequence[int]) -> int:
    """How many rows the training has gone through, those of epochs that a stage did not need included."""
    if standing.finished:
        return sum(lengths) * rows
    epochs = sum(lengths[: standing.stage]) + standing.stage_epoch
    return epochs * rows + min(standing.step * batch_size, rows)

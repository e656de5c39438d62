"""What a run says of rows, and which of its answers can be trusted: those to rows it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from multitag.config import Config
from multitag.data.table import Table
from multitag.errors import DataError
from multitag.features.rows import Rows, check_rows
from multitag.fitting.copies import are_copies, row_keys, seen_in_training
from multitag.fitting.label_checks import labelled, listed, lost_pictures
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent
from multitag.types import BoolArray, Predictions, Sample


@dataclass(frozen=True, eq=False)
class Answered:
    """A run's answers to rows with known labels.

    Attributes:
        predictions: Label sets and probabilities.
        samples: The rows.
        fresh: (N,), whether nothing that answered a row was trained on it: the row is new, or answered out of fold.
        kept: How many answers are those that the run kept of its held-out rows.
        notes: What a user should look at.
    """

    predictions: Predictions
    samples: Sequence[Sample]
    fresh: BoolArray
    kept: int
    notes: tuple[str, ...]


def answer_table(
    pipeline: Pipeline, table: Table, config: Config, *, allow_seen: bool = False, progress: Progress = silent
) -> Answered:
    """Answer the labelled rows of a table.

    Args:
        pipeline: The run.
        table: Rows; those whose labels are not known are left out, and a note says so.
        config: How their pictures are checked.
        allow_seen: As of `answer`.
        progress: Told about each stage.

    Raises:
        DataError: The table has no labels, pictures cannot be used, or rows were pseudo-labelled in training.
    """
    samples, left_out = labelled(table)
    found = answer(pipeline, check_rows(samples, config, progress=progress), allow_seen=allow_seen, progress=progress)
    return replace(found, notes=tuple(dict.fromkeys((*table.warnings, *left_out, *found.notes))))


def answer(pipeline: Pipeline, rows: Rows, *, allow_seen: bool = False, progress: Progress = silent) -> Answered:
    """Answer rows; those that the run held out in training with the logits it kept of them.

    So a run can be looked at on its own training table: each row is answered by networks that did not see it, where
    there are such. Other rows that it was trained on are answered too, and a note says that they flatter.

    Args:
        pipeline: The run.
        rows: Labelled rows, known again by picture and text.
        allow_seen: Answer rows that were pseudo-labelled in training all the same.
        progress: Told about each stage.

    Raises:
        DataError: Rows were pseudo-labelled in training, and are not allowed.
    """
    held, found = pipeline.held_out, held_places(pipeline, rows)
    logits = np.zeros((len(rows), len(pipeline.space)), np.float32)
    logits[found >= 0] = held.logits[found[found >= 0]]
    others = np.flatnonzero(found < 0)
    fresh = np.ones(len(rows), bool)
    notes = list(lost_pictures(rows.bad))
    if pipeline.config.heeds_teacher and (found >= 0).any():
        notes.append(
            f"{int((found >= 0).sum())} of the {len(rows)} rows are answered by networks that had not seen them, but "
            f"another run taught these: where that was trained on the rows, the answers flatter"
        )
    if len(others):
        rest = rows.take(others.tolist())
        notes += seen_in_training(pipeline, rest, allowed=allow_seen)
        keys = np.concatenate([pipeline.trained_on, pipeline.pseudo_labelled])
        fresh[others] = ~are_copies(rest, keys, pictures=pipeline.config.reads_pictures)
        logits[others] = pipeline.logits(rest, progress=progress)
    ids = tuple(sample.id for sample in rows.samples)
    return Answered(pipeline.decide(ids, logits), rows.samples, fresh, len(rows) - len(others), tuple(notes))


def held_places(pipeline: Pipeline, rows: Rows) -> npt.NDArray[np.intp]:
    """For each row (N,), its place among those that the run held out in training; -1 where it is not among them."""
    places = {key: place for place, key in reversed(list(enumerate(pipeline.held_out.rows.tolist())))}
    return np.array([places.get(key, -1) for key in row_keys(rows).tolist()], np.intp)


def held_out_answers(pipeline: Pipeline) -> Answered:
    """What the run kept of the rows it held out in training: their labels, without picture and text.

    Raises:
        DataError: It kept none.
    """
    held, space = pipeline.held_out, pipeline.space
    if not len(held.logits):
        raise DataError("this run kept no held-out rows. Fix: give a table to look at it on")
    names = np.asarray(space.names)
    samples = [
        Sample(
            f"held-out row {place}",
            labels=None if np.isnan(gold).all() else tuple(names[gold == 1].tolist()),
            unknown=() if np.isnan(gold).all() else tuple(names[np.isnan(gold)].tolist()),
        )
        for place, gold in enumerate(held.gold, 1)
    ]
    predictions = pipeline.decide(tuple(sample.id for sample in samples), held.logits)
    return Answered(predictions, samples, np.ones(len(samples), bool), len(samples), ())


def same_rows(answers: Sequence[Answered]) -> None:
    """Check that several runs answer the same rows.

    Raises:
        DataError: They do not.
    """
    first = [(sample.id, sample.labels) for sample in answers[0].samples]
    for other in answers[1:]:
        theirs = [(sample.id, sample.labels) for sample in other.samples]
        if theirs != first:
            differing = [str(ours[0]) for ours, their in zip(first, theirs, strict=False) if ours != their]
            raise DataError(
                f"the runs held out other rows ({len(first)} and {len(theirs)}; first difference: "
                f"{listed(differing, most=1) or 'their number'}). Fix: give a table to compare them on"
            )

"""From labelled rows to a fitted pipeline: split, encode, train, calibrate, decide, score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from multitag.config import Config
from multitag.data.image_check import BadImage
from multitag.data.split import split
from multitag.data.table import Table
from multitag.evaluation import Evaluation, evaluate
from multitag.features.rows import Rows, check_rows
from multitag.fitter import Clock, Fitter
from multitag.interrupts import Interrupted
from multitag.label_checks import always_labelled, doubts, label_space, labelled, leaks, lost_pictures, strangers
from multitag.out_of_fold import out_of_fold
from multitag.pipeline import HeldOut, Pipeline, fit_calibration, fit_decision, open_store
from multitag.progress import Progress, silent
from multitag.run_folder import begin, is_started
from multitag.sizes import Size, measure
from multitag.training import make_accelerator
from multitag.types import LabelSpace, Sample


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline and how it came about.

    Attributes:
        pipeline: The model with all it needs.
        evaluation: Scores on the validation rows, which also chose epoch and decision: a little too good.
        history: A row for each epoch.
        rows: Numbers of rows: training, validation, left out for want of labels, with a picture lost.
        seconds: Time by stage: checking, encoding, training, deciding.
        size: Parameters and megabytes, trained and frozen.
        notes: What a user should look at.
    """

    pipeline: Pipeline
    evaluation: Evaluation
    history: list[dict[str, Any]]
    rows: dict[str, int]
    seconds: dict[str, float]
    size: Size
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json; the decision that the scores are of included."""
        return {
            "decision": self.pipeline.config.decision.name,
            "validation": self.evaluation.to_dict(),
            "rows": self.rows,
            "seconds": {stage: round(value, 2) for stage, value in self.seconds.items()},
            "size": self.size.to_dict(),
            "notes": list(self.notes),
        }


class Sides(NamedTuple):
    """The rows of a training.

    Attributes:
        every: All labelled rows of the training table.
        trained: Those to train on.
        held: Rows to choose epoch, calibration and decision by.
        bad: Rows that lost a picture which could not be used.
        unlabelled: How many rows of the training table were left out.
        notes: What a user should look at.
    """

    every: Rows
    trained: Rows
    held: Rows
    bad: tuple[BadImage, ...]
    unlabelled: int
    notes: list[str]


def fit(
    config: Config,
    table: Table,
    valid: Table | None = None,
    *,
    folder: Path | None = None,
    resume: bool = False,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
) -> Fitted:
    """Fit a pipeline.

    Args:
        config: All settings.
        table: Labelled rows.
        valid: Rows to choose epoch, calibration and decision by; a share of the table's rows by default.
        folder: The run folder, where checkpoints go while it trains.
        resume: Go on from the checkpoints in `folder`.
        progress: Told about each stage.
        on_epoch: Called with the history row of each epoch.

    Raises:
        DataError: Rows or pictures cannot be used, or there are too few to hold any out.
        WeightsError: An encoder's weights cannot be had.
        Interrupted: Ctrl-C; the message says what was kept.
    """
    clock = Clock()
    try:
        return _fit(config, table, valid, folder, resume, progress, on_epoch, clock)
    except KeyboardInterrupt as error:
        kept = "nothing was begun" if clock.stage == "checking" else "the feature store keeps what was encoded"
        if folder is not None and is_started(folder):
            kept += f", and {folder} what was trained: go on with --resume"
        raise Interrupted(f"interrupted while {clock.stage}; {kept}") from error


def _fit(
    config: Config,
    table: Table,
    valid: Table | None,
    folder: Path | None,
    resume: bool,
    progress: Progress,
    on_epoch: Callable[[dict[str, Any]], None],
    clock: Clock,
) -> Fitted:
    space = label_space(config, table, valid)
    with clock.time("checking"):
        sides = take_sides(config, space, table, valid, progress=progress)
    processes = make_accelerator(config.train.precision)
    if folder is not None and processes.is_main_process:
        begin(folder, config, resume=resume)
    processes.wait_for_everyone()
    always = always_labelled(sides.every.samples)
    with open_store(config) as store:
        fitter = Fitter(config, space, store, folder, resume, clock)
        main = fitter.train("main", sides.trained, sides.held, progress=progress, on_epoch=on_epoch)
        chosen = HeldOut(main.logits, space.encode(sides.held.samples), always)
        if config.decision.fit_on == "out_of_fold":
            chosen = out_of_fold(fitter, sides.every, epochs=main.epochs, always_labelled=always, progress=progress)
    with clock.time("deciding"):
        calibration = fit_calibration(config, chosen)
        probabilities = calibration.apply(chosen.logits)
        decision = fit_decision(config.decision.name, config.decision.options, probabilities, chosen)
        pipeline = Pipeline(config, space, main.slots, main.model, chosen, calibration, decision)
        predictions = pipeline.decide(tuple(s.id for s in sides.held.samples), main.logits)
        evaluation = evaluate(predictions, sides.held.samples, seed=config.seed)
    rows = {"train": len(sides.trained), "valid": len(sides.held)}
    rows |= {"unlabelled": sides.unlabelled, "bad_pictures": len(sides.bad)}
    size = measure(main.model, main.slots)
    return Fitted(pipeline, evaluation, main.history, rows, clock.seconds, size, tuple(dict.fromkeys(sides.notes)))


def take_sides(
    config: Config, space: LabelSpace, table: Table, valid: Table | None, *, progress: Progress = silent
) -> Sides:
    """Check all rows, and part those to train on from those to choose by.

    Copies of a picture, and rows of a group, are on one side; where both sides were given, copies are noted.

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
    every = checked.take(range(len(samples)))
    if valid is None:
        parts = split(every.samples, space, config.data.valid_share, config.seed, copies=every.hashes)
        trained, held = every.take(parts.train_indices.tolist()), every.take(parts.held_indices.tolist())
    else:
        trained, held = every, checked.take(range(len(samples), len(checked)))
        notes += leaks(trained, held)
    return Sides(every, trained, held, checked.bad, len(table) - len(samples), notes)

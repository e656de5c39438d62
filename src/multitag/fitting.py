"""From labelled rows to a fitted pipeline: split, encode, train, calibrate, decide, score."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from multitag.artifacts import CHECKPOINTS
from multitag.config import Config
from multitag.data.split import folds, split
from multitag.data.table import Table
from multitag.errors import DataError
from multitag.evaluation import Evaluation, evaluate
from multitag.features.feeder import Feeder
from multitag.features.rows import Rows, check_rows
from multitag.features.slots import Slot, build_slots, learn
from multitag.features.store import FeatureStore
from multitag.inference import predict_logits
from multitag.losses import LOSSES
from multitag.model import Model, build_model
from multitag.pipeline import HeldOut, Pipeline, feed, fit_calibration, fit_decision, open_store
from multitag.progress import Progress, silent
from multitag.sizes import Size, measure
from multitag.tasks.base import Logits
from multitag.tasks.labels import LabelTask
from multitag.training import Checkpointing, train
from multitag.types import LabelSpace, Sample


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline and how it came about.

    Attributes:
        pipeline: The model with all it needs.
        evaluation: Scores on the validation rows, which also chose epoch and decision: a little too good.
        history: A row for each epoch.
        rows: Numbers of rows: training, validation, left out for want of labels, with a picture lost.
        seconds: Time by stage: checking, encoding, training.
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
        """Plain values, for metrics.json."""
        return {
            "validation": self.evaluation.to_dict(),
            "rows": self.rows,
            "seconds": {stage: round(value, 2) for stage, value in self.seconds.items()},
            "size": self.size.to_dict(),
            "notes": list(self.notes),
        }


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.monotonic)

    def lap(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now


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
    """
    clock, notes = _Clock(), list(table.warnings)
    space = _label_space(config, table, valid)
    samples = _labelled(table, notes)
    notes += _doubts(samples, space)
    rows = check_rows(samples, config.data, progress=progress)
    if valid is None:
        sides = split(rows.samples, space, config.data.valid_share, config.seed, copies=rows.hashes)
        trained, held = rows.take(sides.train_indices.tolist()), rows.take(sides.held_indices.tolist())
    else:
        trained = rows
        held = check_rows(_labelled(valid, notes), config.data, progress=progress)
        notes += _leaks(trained, held)
    if rows.bad or held.bad:
        notes.append(f"{len(rows.bad) + len(held.bad)} pictures could not be used: their rows count as without one")
    clock.lap("checking")

    with open_store(config) as store:
        fitter = _Fitter(config, space, store, folder, resume, progress, on_epoch, clock)
        slots, model, history, best = fitter.train("main", trained, held)
        logits, gold = fitter.logits, space.encode(held.samples)
        always = all(s.labels for s in trained.samples if s.labels is not None and not s.unknown)
        chosen = HeldOut(logits, gold, always)
        if config.decision.fit_on == "out_of_fold":
            chosen = _out_of_fold(fitter, rows, best, always)
    calibration = fit_calibration(config, chosen)
    decision = fit_decision(config.decision.name, config.decision.options, calibration.apply(chosen.logits), chosen)
    pipeline = Pipeline(config, space, slots, model, chosen, calibration, decision)
    predictions = pipeline.decide(tuple(s.id for s in held.samples), logits)
    return Fitted(
        pipeline,
        evaluate(predictions, held.samples, seed=config.seed),
        history,
        {
            "train": len(trained),
            "valid": len(held),
            "unlabelled": len(table) - len(samples),
            "bad_pictures": len(rows.bad),
        },
        clock.seconds,
        measure(model, slots),
        tuple(notes),
    )


class _Fitter:
    """Trains models of one configuration on different rows."""

    def __init__(
        self,
        config: Config,
        space: LabelSpace,
        store: FeatureStore,
        folder: Path | None,
        resume: bool,
        progress: Progress,
        on_epoch: Callable[[dict[str, Any]], None],
        clock: _Clock,
    ) -> None:
        self.config, self.space, self.store, self.clock = config, space, store, clock
        self.folder, self.resume, self.progress, self.on_epoch = folder, resume, progress, on_epoch
        self.logits: Logits = np.zeros((0, len(space)), np.float32)

    def train(
        self, name: str, rows: Rows, held: Rows, *, epochs: int | None = None
    ) -> tuple[dict[str, Slot], Model, list[dict[str, Any]], int]:
        """Train on `rows`, leave the logits of `held` in `logits`; with `epochs` so many, without looking at `held`."""
        config, task = self.config, LabelTask(self.space)
        slots = build_slots(config)
        learn(slots, rows.samples)
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            model = build_model(config, slots, len(self.space))
        feeder = self._feed(rows, slots, model)
        held_feeder = self._feed(held, slots, model)
        self.clock.lap("encoding")
        model.fit_scales(feeder)
        settings = config.train if epochs is None else config.train.model_copy(update={"epochs": epochs})
        standing = train(
            model,
            LOSSES.build(config.loss.name, config.loss.options),
            task,
            feeder,
            held_feeder if epochs is None else None,
            settings,
            seed=config.seed,
            checkpointing=self._checkpointing(name, rows),
            progress=self.progress,
            on_epoch=self.on_epoch,
        )
        self.logits = predict_logits(model, held_feeder, len(self.space))
        self.clock.lap("training")
        return slots, model, standing.history, standing.best_epoch + 1

    def _feed(self, rows: Rows, slots: dict[str, Slot], model: Model) -> Feeder:
        targets = self.space.encode(rows.samples)
        return feed(rows, slots, self.store, model, targets=targets, progress=self.progress)

    def _checkpointing(self, name: str, rows: Rows) -> Checkpointing | None:
        if self.folder is None:
            return None
        path = self.folder / CHECKPOINTS / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = self.config.train.checkpoint_seconds
        return Checkpointing(path, self._identity(rows), seconds, self.resume)

    def _identity(self, rows: Rows) -> str:
        """A hash of what decides a training's result: configuration, labels and rows, wherever the store lies."""
        digest = hashlib.sha256()
        settings = self.config.model_dump(mode="json", exclude={"store", "recipe"})
        settings["train"].pop("checkpoint_seconds")
        digest.update(json.dumps([settings, self.space.names], sort_keys=True).encode())
        for sample, content in zip(rows.samples, rows.hashes, strict=True):
            row = [sample.id, sample.text, sample.labels, sample.unknown, content]
            digest.update(json.dumps(row, ensure_ascii=False).encode())
        return digest.hexdigest()


def _out_of_fold(fitter: _Fitter, rows: Rows, epochs: int, always: bool) -> HeldOut:
    """Logits of every training row by models that did not see it, each trained for as long as the main one was."""
    config, space = fitter.config, fitter.space
    parts = folds(rows.samples, space, config.decision.folds, config.seed, copies=rows.hashes)
    logits = np.zeros((len(rows), len(space)), np.float32)
    for number, part in enumerate(parts):
        train_rows, held = rows.take(part.train_indices.tolist()), rows.take(part.held_indices.tolist())
        fitter.train(f"fold{number}", train_rows, held, epochs=epochs)
        logits[part.held_indices] = fitter.logits
    return HeldOut(logits, space.encode(rows.samples), always)


def _label_space(config: Config, table: Table, valid: Table | None) -> LabelSpace:
    declared = config.data.label_names or table.label_names
    if declared:
        return LabelSpace(tuple(declared))
    samples = [*table.samples, *(valid.samples if valid is not None else [])]
    return LabelSpace.from_samples(samples)


def _labelled(table: Table, notes: list[str]) -> list[Sample]:
    table.require_labels()
    samples = [sample for sample in table.samples if sample.labels is not None]
    if left_out := len(table) - len(samples):
        notes.append(f"{left_out} rows of {table.name} have no labels and are left out")
    return samples


def _doubts(samples: list[Sample], space: LabelSpace) -> list[str]:
    """What makes a result doubtful though it can be had."""
    counts = Counter(name for sample in samples for name in sample.labels or ())
    doubts = []
    if not counts:
        raise DataError(f"no row of the {len(samples)} has a label: there is nothing to learn")
    if len(space) == 1:
        doubts.append(f"there is only one label, '{space.names[0]}': this is a yes-or-no question")
    once = [name for name in space.names if counts[name] == 1]
    if once:
        doubts.append(f"{len(once)} labels have a single example and can hardly be learned: {_listed(once)}")
    never = [name for name in space.names if counts[name] == 0]
    if never:
        doubts.append(f"{len(never)} labels have no example and are never predicted: {_listed(never)}")
    if len({frozenset(s.labels or ()) for s in samples}) == 1 and not any(s.unknown for s in samples):
        doubts.append("all rows have the same labels: the model can only repeat them")
    return doubts


def _leaks(trained: Rows, held: Rows) -> list[str]:
    known = {content for content in trained.hashes if content is not None}
    both = sum(content in known for content in held.hashes if content is not None)
    if not both:
        return []
    return [f"{both} validation rows have a picture that is also in the training rows: scores on them flatter"]


def _listed(names: list[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

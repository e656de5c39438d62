"""Networks of one configuration, each trained on other rows or from another seed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from multitag.augment.augmenter import Augmenter
from multitag.config import Component, Config, TrainConfig
from multitag.errors import DataError
from multitag.features.augmenting import make_augmenter
from multitag.features.feeder import Feeder
from multitag.features.rows import Rows
from multitag.features.slots import Slot, build_slots, learn
from multitag.features.store import FeatureStore
from multitag.features.targets import KeptTargets
from multitag.fitting.clock import Clock
from multitag.fitting.identity import identity_of
from multitag.fitting.joint_loss import make_loss
from multitag.fitting.lessons import Lessons, Taught
from multitag.fitting.limit import Limit
from multitag.fitting.teaching import Teaching, softened
from multitag.inference import predict_logits
from multitag.losses import LOSSES, Loss
from multitag.model import Model, build_model
from multitag.networks import Network, feed, network_logits
from multitag.progress import Progress
from multitag.runs.folder import CHECKPOINTS
from multitag.tasks.base import Logits, Targets, Task
from multitag.tasks.choose import task_of
from multitag.tasks.labels import LabelTask
from multitag.tasks.pieces import Pieces
from multitag.training import Checkpointing, make_accelerator, train
from multitag.training.pace import measure_pace
from multitag.types import LabelSpace, Modality, Sample

_BLOCK = 4096
"""So many rows' targets are made at a time, and only those kept that are not 0."""
_SLOW = 0.5
"""Building a network takes no longer, in seconds, where all is there already."""


@dataclass(frozen=True)
class Trained:
    """A trained network and what it says of the rows held out.

    Attributes:
        network: The model with its encoders.
        logits: (M, K), of the held-out rows.
        history: A row for each epoch.
        epochs: How many epochs of each stage its weights were trained for.
    """

    network: Network
    logits: Logits
    history: list[dict[str, Any]]
    epochs: tuple[int, ...]


class Needed(NamedTuple):
    """What the training of one network takes.

    Attributes:
        fixed: Seconds beside the epochs: building it, predicting the held-out rows.
        epoch: Seconds of an epoch.
        lengths: The epochs of each stage.
    """

    fixed: float
    epoch: float
    lengths: tuple[int, ...]


@dataclass(frozen=True)
class _Ready:
    """A network that is not trained yet, with all that its training needs."""

    network: Network
    task: Task
    pieces: Pieces | None
    rows: Feeder
    held: Feeder
    loss: Loss
    augmenter: Augmenter | None
    settings: TrainConfig
    soft: Targets | None


@dataclass(frozen=True)
class Fitter:
    """Trains networks of one configuration.

    Attributes:
        config: All settings.
        space: The labels.
        store: The feature store.
        folder: The run folder, where checkpoints go; `None` keeps none.
        resume: Whether to go on from the checkpoints there.
        clock: Told about the stages.
        prefix: Before the names of its checkpoints, where several configurations train into one folder.
        shared: Frozen encoders, and frozen parts of others, in their slots, loaded once however many networks are
            trained.
        fold_seed: Of the folds; the configuration's own where it is not set.
        lessons: The rows without labels, where there are any.
        teaching: What a fitted run says of the rows, where one teaches.
        most: Epochs of each stage that a time limit leaves; `None` leaves as many as the configuration says.
        limit: When its networks must be trained, if at some time.
        without: Asked of the networks of a fold beside what they say of its rows: what they say of them without this.
    """

    config: Config
    space: LabelSpace
    store: FeatureStore
    folder: Path | None
    resume: bool
    clock: Clock
    prefix: str = ""
    shared: dict[str, Slot] = field(default_factory=dict)
    fold_seed: int | None = None
    lessons: Lessons | None = None
    teaching: Teaching | None = None
    most: tuple[int, ...] | None = None
    limit: Limit | None = None
    without: tuple[Modality, ...] = ()

    def train(
        self,
        name: str,
        rows: Rows,
        held: Rows,
        *,
        seed: int,
        epochs: Sequence[int] | None = None,
        taught: Taught | None = None,
        progress: Progress,
        on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    ) -> Trained:
        """Train a network.

        Args:
            name: Of its checkpoint.
            rows: The rows to train on.
            held: The rows that choose the best epoch, and whose logits are wanted.
            seed: Of its weights, the order of the rows and all dropout.
            epochs: Train each stage for so many, without looking at `held`.
            taught: Rows with pseudo-labels to train on too.
            progress: Told about each stage.
            on_epoch: Called with the history row of each epoch.

        Raises:
            DataError: An encoder that learns from the training rows finds nothing in them.
            Interrupted: Ctrl-C while training.
            OutOfTime: The limit has passed, and too little is trained.
        """
        taught = taught or self._pool
        with self.clock.time("encoding"):
            ready = self._ready(rows, held, seed, taught, progress)
        network, settings = ready.network, ready.settings
        if epochs is not None:
            settings = settings.lasting(epochs)
        with self.clock.time("training"):
            standing = train(
                network.model,
                ready.loss,
                ready.task,
                ready.rows,
                ready.held if epochs is None else None,
                settings,
                seed=seed,
                augmenter=ready.augmenter,
                checkpointing=self._checkpointing(name, rows, held, taught, ready, settings.lengths, seed),
                halt=None if self.limit is None else self.limit.next(settings.lengths),
                progress=progress,
                on_epoch=on_epoch,
            )
        with self.clock.time("testing"):
            logits = predict_logits(network.model, ready.held, len(self.space), progress=progress)
            logits = logits if ready.pieces is None else ready.pieces.join(held, logits)
        return Trained(network, logits, standing.history, tuple(standing.useful))

    def pace(self, rows: Rows, held: Rows, *, seconds: float, progress: Progress) -> Needed:
        """What a training on the rows takes, measured on a network that is dropped afterwards.

        Args:
            rows: The rows to train on.
            held: The rows that choose the best epoch.
            seconds: About how long to look at steps, and at scoring.
            progress: Told about features that the store lacks.
        """
        seed, started, taught = self.config.seed, time.monotonic(), self._pool
        with self.clock.time("encoding"):
            ready = self._ready(rows, held, seed, taught, progress)
            built = time.monotonic() - started
        with self.clock.time("planning"):
            if built > _SLOW:  # features were encoded, or encoders read from disk; once more shows what each one takes
                started = time.monotonic()
                ready = self._ready(rows, held, seed, taught, progress)
                built = time.monotonic() - started
            pace = measure_pace(
                ready.network.model,
                ready.loss,
                ready.task,
                ready.rows,
                ready.held,
                ready.settings,
                seed=seed,
                augmenter=ready.augmenter,
                seconds=seconds,
            )
        scoring = pace.scoring * (2 if self.without else 1)  # a row without a picture takes next to nothing
        return Needed(built + scoring, pace.epoch, ready.settings.lengths)

    def _ready(self, rows: Rows, held: Rows, seed: int, taught: Taught | None, progress: Progress) -> _Ready:
        """All that a training needs, built under its seed, whatever random numbers were drawn before."""
        config = self.config
        every = rows if taught is None else rows + taught.rows
        settings = config.train.for_rows(len(every))
        if self.most is not None:
            settings = settings.lasting([min(pair) for pair in zip(settings.lengths, self.most, strict=True)])
        with torch.random.fork_rng():
            network = self.build(every.samples, seed)
            slots, model = network.slots, network.model
            model.to(make_accelerator(settings.precision).device)
            weights = None if taught is None else taught.weights(len(rows))
            task, pieces = task_of(config, self.space, slots), Pieces.of(config, slots)
            cut = (lambda rows: rows) if pieces is None else pieces.cut
            soft = self._soft(every)
            feeder = self._feed(task, cut(every), slots, model, progress, weights, soft)
            held_feeder = self._feed(task, cut(held), slots, model, progress)
            model.fit_scales(feeder)
        # How common labels are, the labelled rows say: of a rare one, a teacher is sure where it is not. Few ask, and
        # only then all targets are there at once.
        asked = cut(rows).samples if self._counts_labels else cut(rows).samples[:1]
        targets = task.targets(asked)
        loss, augmenter = make_loss(config if soft is None else _unsmoothed(config), task, targets), None
        if self._counts_labels:
            taught_rows = ((0, len(every) - len(rows)), (0, 0))
            known = np.pad(task.examples(targets), taught_rows, constant_values=np.nan)
            augmenter = make_augmenter(config.augment, known, seed)
        return _Ready(network, task, pieces, feeder, held_feeder, loss, augmenter, settings, soft)

    def build(self, samples: list[Sample], seed: int) -> Network:
        """A network with its weights as they are before training.

        Args:
            samples: What encoders learn from before training (a vocabulary).
            seed: Of the weights.

        Raises:
            DataError: An encoder that learns from the training rows finds nothing in them.
            WeightsError: An encoder's weights cannot be had.
        """
        with torch.random.fork_rng():
            slots = self._slots(seed)
            _require_something_to_learn(slots, samples, self.config)
            learn({name: slot for name, slot in slots.items() if slot.encoder.learns}, samples)
            torch.manual_seed(seed)
            return Network(slots, build_model(self.config, slots, len(self.space)).eval())

    def _slots(self, seed: int) -> dict[str, Slot]:
        """The encoders: those that neither train nor learn from the rows are loaded once, the others anew.

        Anew and after the seed is set, whether the shared ones were there already or not: a training that is resumed
        begins with the very same weights.
        """
        sections = self.config.encoders
        keys = {
            name: json.dumps([name, section.model_dump(mode="json")])
            for name, section in sections.items()
            if section.frozen
        }
        lacking = {name: sections[name] for name, key in keys.items() if key not in self.shared}
        loaded = build_slots(self.config.model_copy(update={"encoders": lacking}))
        self.shared.update({keys[name]: slot for name, slot in loaded.items() if not slot.encoder.learns})
        keys = {name: key for name, key in keys.items() if key in self.shared}
        torch.manual_seed(seed)
        own = {name: section for name, section in sections.items() if name not in keys}
        fresh = build_slots(self.config.model_copy(update={"encoders": own}), self.shared)
        return {name: self.shared[keys[name]] if name in keys else fresh[name] for name in sections}

    def predict(self, network: Network, rows: Rows, *, progress: Progress, stage: str = "testing") -> Logits:
        """A trained network's logits (N, K) of other rows; `stage` is what the clock calls it."""
        with self.clock.time(stage):
            return network_logits(network, rows, self.store, self.config, len(self.space), progress=progress)

    @property
    def taught_by(self) -> Teaching | None:
        """What a fitted run says of the rows, where it counts anything."""
        section = self.config.teacher
        return None if section is None or section.weight == 0 else self.teaching

    @property
    def _pool(self) -> Taught | None:
        """The rows without labels that a fitted run teaches; each counts as a labelled one."""
        teaching = self.taught_by
        return None if teaching is None or teaching.pool is None else Taught(teaching.pool, 1.0)

    def _soft(self, rows: Rows) -> Targets | None:
        """What is learned of the rows (N, K) in place of their labels, where a fitted run teaches."""
        teaching, section = self.taught_by, self.config.teacher
        if teaching is None or section is None:
            return None
        smoothing = float(self.config.loss.options.get("smoothing", 0.0))
        gold = self.space.encode(rows.samples)
        return softened(gold, teaching.of(rows), weight=section.weight, smoothing=smoothing)

    @property
    def _counts_labels(self) -> bool:
        """Whether loss or augmentation want to know how common labels are."""
        loss, augment = LOSSES.get(self.config.loss.name), self.config.augment
        return loss.fit is not Loss.fit or bool(augment.steps or augment.rare) or self.config.task != "labels"

    def _feed(
        self,
        task: Task,
        rows: Rows,
        slots: Mapping[str, Slot],
        model: Model,
        progress: Progress,
        weights: npt.NDArray[np.float32] | None = None,
        soft: Targets | None = None,
    ) -> Feeder:
        samples = rows.samples
        targets: KeptTargets | Targets
        if soft is not None:
            targets = soft
        elif isinstance(task, LabelTask):
            blocks = (task.targets(samples[start : start + _BLOCK]) for start in range(0, len(samples), _BLOCK))
            targets = KeptTargets.of(blocks, len(task.space))
        else:
            targets = task.targets(samples)
        return feed(rows, slots, self.store, model, targets=targets, weights=weights, progress=progress)

    def _checkpointing(
        self,
        name: str,
        rows: Rows,
        held: Rows,
        taught: Taught | None,
        ready: _Ready,
        epochs: Sequence[int],
        seed: int,
    ) -> Checkpointing | None:
        if self.folder is None:
            return None
        sides = (rows, held) if taught is None else (rows, held, taught.rows)
        slots, soft = ready.network.slots, ready.soft
        identity = identity_of(self.config, self.space, slots, sides, epochs=epochs, seed=seed, targets=soft)
        path = self.folder / CHECKPOINTS / f"{self.prefix}{name}.safetensors"
        return Checkpointing(path, identity, self.config.train.checkpoint_seconds, self.resume)


def _unsmoothed(config: Config) -> Config:
    """The configuration with a loss that takes targets as they are: soft ones are smoothed already where they want it.

    A loss that knows no smoothing takes no soft targets either.
    """
    options = {**config.loss.options, "smoothing": 0.0}
    return config.model_copy(update={"loss": Component(name=config.loss.name, **options)})


def _require_something_to_learn(slots: Mapping[str, Slot], samples: list[Sample], config: Config) -> None:
    for name, slot in slots.items():
        if slot.encoder.learns and not any(slot.has(sample) for sample in samples):
            raise DataError(
                f"no training row has {'a picture' if slot.encoder.modality == 'image' else 'a text'}, and the encoder "
                f"'{name}' ({config.encoders[name].name}) learns from them. Fix: leave it out (--without {name})"
            )

"""Networks of one configuration, each trained on other rows or from another seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from multitag.config import Config
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore
from multitag.fitting.clock import Clock
from multitag.fitting.identity import identity_of
from multitag.fitting.limits.limit import Limit
from multitag.fitting.making import Maker, Ready
from multitag.fitting.teachers.lessons import Lessons, Taught
from multitag.fitting.teachers.teaching import Teaching, softened
from multitag.inference import predict_logits
from multitag.networks import Network, network_logits
from multitag.progress import Progress, silent
from multitag.runs.folder import CHECKPOINTS
from multitag.tasks.base import Logits, Targets
from multitag.training import Checkpointing, train
from multitag.training.pace import measure_pace
from multitag.types import LabelSpace, Modality, Sample

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
        first: So many of the folds are trained, the first ones, and their rows alone are answered; `None` for all.
        jobs: How many networks train at a time, each in a process of its own; `None` leaves it to the machine.
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
    first: int | None = None
    jobs: int | None = 1

    def train(
        self,
        name: str,
        rows: Rows,
        held: Rows,
        *,
        seed: int,
        epochs: Sequence[int] | None = None,
        taught: Taught | None = None,
        known: Logits | None = None,
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
            known: The logits of `held`, where another process has trained it and left its checkpoint.
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
        said: list[Logits | None] = [None]
        limit, resume = (self.limit, self.resume) if known is None else (None, True)
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
                checkpointing=self._checkpointing(name, rows, held, taught, ready, settings.lengths, seed, resume),
                halt=None if limit is None else limit.next(settings.lengths),
                progress=progress,
                on_epoch=on_epoch,
                on_best=said.append,
            )
        if known is not None:
            return Trained(network, known, standing.history, tuple(standing.useful))
        with self.clock.time("testing"):
            logits = said[-1]  # those of the epoch that its weights are of, where this process looked at it
            if logits is None:
                logits = predict_logits(network.model, ready.held, len(self.space), progress=progress)
            logits = logits if ready.pieces is None else ready.pieces.join(held, logits)
        return Trained(network, logits, standing.history, tuple(standing.useful))

    def encode(self, rows: Rows, held: Rows, *, progress: Progress) -> None:
        """Have the store filled with all that a training on the rows reads of it."""
        every = rows if self._pool is None else rows + self._pool.rows
        seed, precision = self.config.seed, self.config.train.precision
        with self.clock.time("encoding"):
            self._maker.encode(every, held, seed=seed, precision=precision, progress=progress)

    def pace(
        self, rows: Rows, held: Rows, *, seconds: float, encoded: bool = False, progress: Progress = silent
    ) -> Needed:
        """What a training on the rows takes, measured on a network that is dropped afterwards.

        Args:
            rows: The rows to train on.
            held: The rows that choose the best epoch.
            seconds: About how long to look at steps, and at scoring.
            encoded: Whether the store lacks nothing, and each network loads its encoders: then a network is built once.
            progress: Told about features that the store lacks.
        """
        seed, started, taught = self.config.seed, time.monotonic(), self._pool
        with self.clock.time("encoding"):
            ready = self._ready(rows, held, seed, taught, progress)
            built = time.monotonic() - started
        with self.clock.time("planning"):
            if (
                built > _SLOW and not encoded
            ):  # features were encoded, or encoders read from disk; once more shows what each one takes
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
        # Training ends with a look at them. Without texts they take as long again, without pictures next to no time.
        return Needed(built + (pace.scoring if self.without else 0.0), pace.epoch, ready.settings.lengths)

    def _ready(self, rows: Rows, held: Rows, seed: int, taught: Taught | None, progress: Progress) -> Ready:
        settings = self.config.train.for_rows(len(rows) + (0 if taught is None else len(taught.rows)))
        if self.most is not None:
            settings = settings.lasting([min(pair) for pair in zip(settings.lengths, self.most, strict=True)])
        soft = self._soft(rows if taught is None else rows + taught.rows)
        return self._maker.ready(rows, held, settings, seed=seed, taught=taught, soft=soft, progress=progress)

    def build(self, samples: list[Sample], seed: int) -> Network:
        """A network with its weights as they are before training; as of `Maker.build`."""
        return self._maker.build(samples, seed)

    @property
    def _maker(self) -> Maker:
        return Maker(self.config, self.space, self.store, self.shared)

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

    def _checkpointing(
        self,
        name: str,
        rows: Rows,
        held: Rows,
        taught: Taught | None,
        ready: Ready,
        epochs: Sequence[int],
        seed: int,
        resume: bool,
    ) -> Checkpointing | None:
        if self.folder is None:
            return None
        sides = (rows, held) if taught is None else (rows, held, taught.rows)
        slots, soft = ready.network.slots, ready.soft
        identity = identity_of(self.config, self.space, slots, sides, epochs=epochs, seed=seed, targets=soft)
        path = self.folder / CHECKPOINTS / f"{self.prefix}{name}.safetensors"
        return Checkpointing(path, identity, self.config.train.checkpoint_seconds, resume)

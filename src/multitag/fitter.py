"""Models of one configuration, each trained on other rows: the main one, and one for each fold."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from multitag.config import Config
from multitag.errors import DataError
from multitag.features.feeder import Feeder
from multitag.features.rows import Rows
from multitag.features.slots import Slot, build_slots, learn
from multitag.features.store import FeatureStore
from multitag.inference import predict_logits
from multitag.losses import LOSSES, Loss
from multitag.model import Model, build_model
from multitag.pipeline import feed
from multitag.progress import Progress
from multitag.run_folder import CHECKPOINTS, deciding
from multitag.tasks.base import Logits
from multitag.tasks.labels import LabelTask
from multitag.training import Checkpointing, make_accelerator, train
from multitag.types import LabelSpace, Sample


@dataclass
class Clock:
    """Seconds by stage.

    Attributes:
        seconds: Of each stage, in the order of their first start.
        stage: The stage at work, or the last one.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    stage: str = ""

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count the block's time to a stage."""
        self.stage, started = stage, time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started


@dataclass(frozen=True)
class Trained:
    """A trained model and what it says of the rows held out.

    Attributes:
        slots: Its encoders.
        model: The model.
        logits: (M, K), of the held-out rows.
        history: A row for each epoch.
        epochs: How many epochs its weights were trained for.
    """

    slots: dict[str, Slot]
    model: Model
    logits: Logits
    history: list[dict[str, Any]]
    epochs: int


@dataclass(frozen=True)
class Fitter:
    """Trains models of one configuration.

    Attributes:
        config: All settings.
        space: The labels.
        store: The feature store.
        folder: The run folder, where checkpoints go; `None` keeps none.
        resume: Whether to go on from the checkpoints there.
        clock: Told about the stages.
    """

    config: Config
    space: LabelSpace
    store: FeatureStore
    folder: Path | None
    resume: bool
    clock: Clock

    def train(
        self,
        name: str,
        rows: Rows,
        held: Rows,
        *,
        epochs: int | None = None,
        progress: Progress,
        on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    ) -> Trained:
        """Train a model.

        Args:
            name: Of its checkpoint.
            rows: The rows to train on.
            held: The rows that choose the best epoch, and whose logits are wanted.
            epochs: Train for so many, without looking at `held`.
            progress: Told about each stage.
            on_epoch: Called with the history row of each epoch.

        Raises:
            DataError: An encoder that learns from the training rows finds nothing in them.
            Interrupted: Ctrl-C while training.
        """
        config = self.config
        settings = config.train.for_rows(len(rows))
        if epochs is not None:
            settings = settings.model_copy(update={"epochs": epochs})
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            with self.clock.time("encoding"):
                slots = build_slots(config)
                _require_something_to_learn(slots, rows.samples, config)
                learn(slots, rows.samples)
                torch.manual_seed(config.seed)
                model = build_model(config, slots, len(self.space)).eval()
                model.to(make_accelerator(settings.precision).device)
                feeder, held_feeder = self._feed(rows, slots, model, progress), self._feed(held, slots, model, progress)
                model.fit_scales(feeder)
        with self.clock.time("training"):
            loss: Loss = LOSSES.build(config.loss.name, config.loss.options)
            loss.fit(torch.from_numpy(self.space.encode(rows.samples)))
            standing = train(
                model,
                loss,
                LabelTask(self.space),
                feeder,
                held_feeder if epochs is None else None,
                settings,
                seed=config.seed,
                checkpointing=self._checkpointing(name, rows, held, slots, settings.epochs),
                progress=progress,
                on_epoch=on_epoch,
            )
            logits = predict_logits(model, held_feeder, len(self.space), progress=progress)
        return Trained(slots, model, logits, standing.history, standing.best_epoch + 1)

    def _feed(self, rows: Rows, slots: dict[str, Slot], model: Model, progress: Progress) -> Feeder:
        return feed(rows, slots, self.store, model, targets=self.space.encode(rows.samples), progress=progress)

    def _checkpointing(
        self, name: str, rows: Rows, held: Rows, slots: dict[str, Slot], epochs: int
    ) -> Checkpointing | None:
        if self.folder is None:
            return None
        identity = hashlib.sha256()
        frozen = {name: slot.fingerprint for name, slot in slots.items() if slot.frozen}
        identity.update(json.dumps([deciding(self.config), self.space.names, frozen, epochs], sort_keys=True).encode())
        for side in (rows, held):
            identity.update(b"side")
            for sample, content in zip(side.samples, side.hashes, strict=True):
                row = [sample.id, sample.text, sample.labels, sample.unknown, content]
                identity.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        path = self.folder / CHECKPOINTS / f"{name}.safetensors"
        return Checkpointing(path, identity.hexdigest(), self.config.train.checkpoint_seconds, self.resume)


def _require_something_to_learn(slots: dict[str, Slot], samples: list[Sample], config: Config) -> None:
    for name, slot in slots.items():
        if slot.encoder.learns and not any(slot.has(sample) for sample in samples):
            raise DataError(
                f"no training row has {'a picture' if slot.encoder.modality == 'image' else 'a text'}, and the encoder "
                f"'{name}' ({config.encoders[name].name}) learns from them. Fix: leave it out (--without {name})"
            )

"""Networks made, and made ready to be trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

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
from multitag.fitting.joint_loss import make_loss
from multitag.fitting.teachers.lessons import Taught
from multitag.heads.base import NamedHead
from multitag.losses import LOSSES, Loss
from multitag.model import Model, build_model
from multitag.networks import Network, feed
from multitag.progress import Progress
from multitag.tasks.base import Targets, Task
from multitag.tasks.choose import task_of
from multitag.tasks.labels import LabelTask
from multitag.tasks.pieces import Pieces
from multitag.training import make_accelerator
from multitag.types import LabelSpace, Sample

_BLOCK = 4096
"""So many rows' targets are made at a time, and only those kept that are not 0."""


@dataclass(frozen=True)
class Ready:
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
class Maker:
    """Makes networks of one configuration.

    Attributes:
        config: All settings.
        space: The labels.
        store: The feature store.
        shared: Frozen encoders, and frozen parts of others, in their slots; those loaded here are added.
    """

    config: Config
    space: LabelSpace
    store: FeatureStore
    shared: dict[str, Slot]

    def ready(
        self,
        rows: Rows,
        held: Rows,
        settings: TrainConfig,
        *,
        seed: int,
        taught: Taught | None,
        soft: Targets | None,
        progress: Progress,
    ) -> Ready:
        """All that a training needs, built under its seed, whatever random numbers were drawn before.

        Args:
            rows: The labelled rows to train on.
            held: The rows that choose the best epoch.
            settings: Of the training.
            seed: Of the weights.
            taught: Rows with pseudo-labels to train on too.
            soft: What is learned of all these rows (N, K) in place of their labels.
            progress: Told about features that the store lacks.
        """
        config = self.config
        every = rows if taught is None else rows + taught.rows
        with torch.random.fork_rng():
            network = self.build(every.samples, seed)
            slots, model = network.slots, network.model
            model.to(make_accelerator(settings.precision).device)
            weights = None if taught is None else taught.weights(len(rows))
            task, pieces = task_of(config, self.space, slots), Pieces.of(config, slots)
            cut = (lambda rows: rows) if pieces is None else pieces.cut
            feeder = self._feed(task, cut(every), slots, model, progress, weights, soft)
            held_feeder = self._feed(task, cut(held), slots, model, progress)
            model.fit_scales(feeder)
            self._name_labels(model, slots, progress)
        # How common labels are, the labelled rows say: of a rare one, a teacher is sure where it is not. Few ask, and
        # only then all targets are there at once.
        asked = cut(rows).samples if self._counts_labels else cut(rows).samples[:1]
        targets = task.targets(asked)
        loss, augmenter = make_loss(config if soft is None else _unsmoothed(config), task, targets), None
        if self._counts_labels:
            taught_rows = ((0, len(every) - len(rows)), (0, 0))
            known = np.pad(task.examples(targets), taught_rows, constant_values=np.nan)
            augmenter = make_augmenter(config.augment, known, seed)
        return Ready(network, task, pieces, feeder, held_feeder, loss, augmenter, settings, soft)

    def encode(self, rows: Rows, held: Rows, *, seed: int, precision: str, progress: Progress) -> None:
        """Have the store filled with all that a training reads of it, as `ready` does.

        Args:
            rows: All rows to train on.
            held: The rows that choose the best epoch.
            seed: Of the training.
            precision: Of the training.
            progress: Told about features that the store lacks.
        """
        with torch.random.fork_rng():
            network = self.build(rows.samples, seed)
            network.model.to(make_accelerator(precision).device)
            pieces = Pieces.of(self.config, network.slots)
            for part in (rows, held):
                seen = part if pieces is None else pieces.cut(part)
                feed(seen, network.slots, self.store, network.model, progress=progress)
            self._name_labels(network.model, network.slots, progress)

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

    def _name_labels(self, model: Model, slots: Mapping[str, Slot], progress: Progress) -> None:
        """Tell heads that ask for it what the encoder of texts says of the labels' names."""
        for head in model.heads.values():
            if not isinstance(head, NamedHead):
                continue
            texts = [head.phrase(name) for name in self.space.names]
            asked = [Sample(f"label {number}", text=text) for number, text in enumerate(texts)]
            feeder = feed(Rows(asked, [None] * len(asked)), slots, self.store, model, progress=progress)
            batch = feeder.batch(list(range(len(asked)))).to(next(head.parameters()).device)
            name = next(iter(slots))  # a head of this kind goes with one encoder
            vectors = model.standardize[name](batch.encoded[name].pooled)
            head.take_names(vectors * batch.present[name].unsqueeze(1))

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

"""All augmentations of a training, drawn from (seed, epoch, step, row) alone: a resumed training draws the same."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from torch import Tensor

from multitag.augment.base import BatchAugmentation, MapAugmentation, PictureAugmentation, TextAugmentation
from multitag.augment.mixing import mixed
from multitag.augment.repeats import repeat_factors, repeated
from multitag.types import Batch, Modality

Inputs = dict[str, Tensor]
Augmentation = PictureAugmentation | TextAugmentation | BatchAugmentation


@dataclass(frozen=True)
class Augmenter:
    """What is done to training rows.

    Attributes:
        steps: The augmentations, in the order in which they are applied.
        seed: The run's.
        rows: The rows of an epoch by their places: those with rare labels several times.
    """

    steps: Sequence[Augmentation]
    seed: int
    rows: Sequence[int]

    @classmethod
    def of(cls, steps: Sequence[Augmentation], targets: npt.NDArray[np.float32], *, rare: float, seed: int) -> Self:
        """For training rows with targets (N, K), of which those with labels rarer than `rare` are repeated."""
        return cls(steps, seed, repeated(repeat_factors(targets, rare), seed))

    def draw(self, epoch: int, step: int, places: Sequence[int]) -> Draw:
        """The changes of one batch.

        Args:
            epoch: Which pass over the rows.
            step: Which batch of it.
            places: What stands in the batch: places in `rows`.
        """
        return Draw(self, epoch, step, tuple(places))


@dataclass(frozen=True)
class Draw:
    """The changes of one batch; asked twice, it changes everything the same way.

    Attributes:
        augmenter: Whose.
        epoch: Which pass over the rows.
        step: Which batch of it.
        places: What stands in the batch.
    """

    augmenter: Augmenter
    epoch: int
    step: int
    places: tuple[int, ...]

    def items(self, modality: Modality, items: Sequence[Any], where: Sequence[int]) -> list[Any]:
        """Pictures or texts, changed.

        Args:
            modality: Which of the two.
            items: Those of the rows that have any.
            where: For each, which row of the batch it is of.
        """
        steps = [
            (n, step)
            for n, step in enumerate(self.augmenter.steps)
            if step.kind == modality and not isinstance(step, BatchAugmentation)
        ]
        if not steps:
            return list(items)
        changed = []
        for item, row in zip(items, where, strict=True):
            for n, step in steps:
                item = step(item, self._random(self.places[row], n))  # noqa: PLW2901
            changed.append(item)
        return changed

    def states(self, modality: Modality, inputs: Inputs, where: Sequence[int]) -> Inputs:
        """What a lower part says of pictures, changed as the pictures would have been.

        Args:
            modality: Texts' states stay as they are.
            inputs: "states" (n, H * W, C), the square maps, row by row, of the rows that have any.
            where: For each, which row of the batch it is of.
        """
        steps = [(n, step) for n, step in enumerate(self.augmenter.steps) if isinstance(step, MapAugmentation)]
        if modality != "image" or not steps:
            return inputs
        states = inputs["states"].clone()
        side = math.isqrt(states.shape[1])
        for place, row in enumerate(where):
            for n, step in steps:
                grid = states[place].view(side, side, -1)
                states[place] = step.on_map(grid, self._random(self.places[row], n)).flatten(0, 1)
        return {**inputs, "states": states}

    def batch(self, batch: Batch, trained: Collection[str]) -> Batch:
        """The batch with its rows mixed, where a step mixes rows and its chance comes up.

        Args:
            batch: On the CPU, with targets.
            trained: The names of the encoders that train.
        """
        for n, step in enumerate(self.augmenter.steps):
            if isinstance(step, BatchAugmentation):
                # By the first row, too: several processes have each their own part of a step.
                batch = mixed(batch, step, trained, self._random(self.places[0], n))
        return batch

    def _random(self, place: int, step: int) -> np.random.Generator:
        return np.random.default_rng((self.augmenter.seed & 0xFFFFFFFF, self.epoch, self.step, place, step))

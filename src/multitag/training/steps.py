"""One step of a training: forward, backward, clip, move; alone or as one of several processes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn.functional import pad
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

from multitag.augment.augmenter import Augmenter
from multitag.config import TrainConfig
from multitag.features.feeder import Feeder
from multitag.losses import Loss
from multitag.model import Model
from multitag.optim import build_optimizer, parameter_groups, set_rates
from multitag.types import Batch


def make_optimizer(model: Model, settings: TrainConfig) -> Optimizer:
    """The optimiser of the settings over all weights of a model that need a gradient."""
    inner = set(model.encoders.parameters())
    groups = parameter_groups(
        (parameter for parameter in model.parameters() if parameter not in inner),
        dict(model.encoders.items()),
        lr=settings.lr,
        encoder_lr=settings.encoder_lr,
        decay=settings.weight_decay,
        layer_decay=settings.layer_decay,
    )
    return build_optimizer(settings.optimizer, groups, momentum=settings.momentum, nesterov=settings.nesterov)


class Stepper:
    """Takes steps.

    Args:
        accelerator: The devices.
        model: The model, prepared by the accelerator.
        optimizer: Likewise.
        loss: What is minimised.
        rows: The training rows.
        augmenter: What is done to them, if anything.
        clip: The longest gradient.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: Any,
        optimizer: Any,
        loss: Loss,
        rows: Feeder,
        augmenter: Augmenter | None,
        *,
        clip: float,
    ) -> None:
        self.augmenter = augmenter
        self.accelerator, self.model, self.optimizer, self.rows, self.clip = accelerator, model, optimizer, rows, clip
        self.loss = loss.to(accelerator.device)
        # Alone and in float32, accelerate's wrappers do nothing but look around, which takes as long as a small step.
        self.plain = accelerator.num_processes == 1 and accelerator.mixed_precision == "no"
        self.bare: Optimizer = getattr(optimizer, "optimizer", optimizer)
        self.weights = list(model.parameters())

    def step(self, chosen: list[int], *, at: tuple[int, int], factor: float, scales: Mapping[str, float]) -> float:
        """Take one step; the loss before it.

        Args:
            chosen: The rows, over all processes; places in the augmenter's rows, where there is one.
            at: Which epoch, and which step of it.
            factor: The learning rate's share of its peak.
            scales: More of that, by part.
        """
        accelerator = self.accelerator
        set_rates(self.optimizer, factor, scales)
        mine = chosen[accelerator.process_index :: accelerator.num_processes]
        batch = self._batch(mine or chosen[:1], at).to(accelerator.device)
        with nullcontext() if self.plain else accelerator.autocast():
            logits: Tensor = self.model(batch)
        value = self.loss(logits.float(), _as_long(batch.targets, logits), batch.weights)
        if self.plain:
            value.backward()
            clip_grad_norm_(self.weights, self.clip)
            self.bare.step()
            self.bare.zero_grad(set_to_none=True)
            return float(value.detach())
        if accelerator.num_processes > 1:
            value = value * self._weight(batch, real=bool(mine))
        accelerator.backward(value)
        accelerator.clip_grad_norm_(self.weights, self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(accelerator.reduce(value.detach(), "mean"))

    def _batch(self, places: list[int], at: tuple[int, int]) -> Batch:
        if self.augmenter is None:
            return self.rows.batch(places)
        return self.rows.batch([self.augmenter.rows[place] for place in places], self.augmenter.draw(*at, places))

    def _weight(self, batch: Batch, *, real: bool) -> Tensor:
        """What this process's mean counts in the mean over all, whose parts of a batch may differ in known labels."""
        size = torch.zeros((), device=self.accelerator.device)
        if real and batch.targets is not None:
            size = self.loss.size(batch.targets, batch.weights).float()
        share: Tensor = size / self.accelerator.reduce(size.clone(), "mean").clamp_min(1e-12)
        return share


def _as_long(targets: Tensor | None, logits: Tensor) -> Tensor | None:
    """Targets of tokens (B, T, K) with as many tokens as a batch has, NaN at padding; those of rows as they are."""
    if targets is None or targets.dim() == 2:
        return targets
    return pad(targets, (0, 0, 0, logits.shape[1] - targets.shape[1]), value=float("nan"))

"""Weights averaged over the steps: what is validated, kept and saved where `train.ema` is on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from multitag.checkpoints import Tensors
from multitag.interrupts import uninterrupted


class Average:
    """An exponential moving average of a model's weights (Polyak & Juditsky 1992), begun anew in each stage.

    After step t, from 0, ``average += (1 - d_t) * (weights - average)`` with ``d_t = min(decay, (1 + t) / (10 + t))``,
    as TensorFlow's ExponentialMovingAverage has it: at first the average is short, and soon forgets the weights that
    nobody has trained. The statistics of batch normalisation are averaged too, and counters copied; weights that never
    train are left out.

    Args:
        model: The model; what needs no gradient now is left out.
        decay: The highest d_t.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        fixed = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
        self._names = [name for name in model.state_dict() if name not in fixed]
        self.values: Tensors = {}
        self.start(model)

    def start(self, model: nn.Module) -> None:
        """Begin anew from the model's weights."""
        self.values = self._live(model, copy=True)

    def _live(self, model: nn.Module, *, copy: bool = False) -> Tensors:
        state = model.state_dict()
        return {name: state[name].clone() if copy else state[name] for name in self._names}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after the step number `step` of the stage."""
        share = 1.0 - min(self.decay, (1 + step) / (10 + step))
        live = self._live(model)
        moving = [name for name in self._names if self.values[name].is_floating_point()]
        torch._foreach_lerp_([self.values[name] for name in moving], [live[name] for name in moving], share)
        for name in self._names:
            if not self.values[name].is_floating_point():
                self.values[name].copy_(live[name])

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """The model has the averaged weights within the block, and its own again after it, whatever happens."""
        own = self._live(model, copy=True)
        try:
            with uninterrupted():
                _put(self._live(model), self.values)
            yield
        finally:
            with uninterrupted():
                _put(self._live(model), own)


@torch.no_grad()
def _put(into: dict[str, Tensor], values: dict[str, Tensor]) -> None:
    for name, tensor in into.items():
        tensor.copy_(values[name])

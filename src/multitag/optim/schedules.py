"""The learning rate as a pure function of the step: nothing to restore on resuming."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch.optim import Optimizer

ScheduleName = Literal["cosine", "linear", "constant", "step", "one_cycle"]

_CYCLE_RISE, _CYCLE_START, _CYCLE_END = 0.3, 1 / 25, 1 / 250_000
"""Of 1cycle: the share of the steps that it rises for, and the shares of the peak that it begins and ends with."""


@dataclass(frozen=True)
class Schedule:
    """The learning rate's share of its peak, step by step.

    ``"cosine"`` and ``"linear"`` fall to zero, ``"constant"`` does not fall, ``"step"`` is multiplied by `step_factor`
    after every `step_epochs` epochs; all four rise first, in a line, for the share `warmup` of the steps.
    ``"one_cycle"`` (Smith, arXiv 1803.09820, with the shares that torch's OneCycleLR has) rises along a cosine from
    1/25 for 30 % of the steps, whatever `warmup` is, and falls along another to 1/250,000; the momentum is left alone.

    Attributes:
        name: Its shape.
        warmup: The share of the steps that it rises for.
        step_factor: What ``"step"`` multiplies by.
        step_epochs: After so many epochs each time.
    """

    name: ScheduleName = "cosine"
    warmup: float = 0.0
    step_factor: float = 0.1
    step_epochs: int = 1

    def factor(self, step: int, steps: int, *, epoch_steps: int = 1) -> float:
        """The share at a step.

        Args:
            step: From 0.
            steps: The number of steps in all.
            epoch_steps: The number of steps in an epoch.
        """
        if self.name == "one_cycle":
            return _one_cycle(step, steps)
        rising = max(1, round(self.warmup * steps)) if self.warmup else 0
        risen = min(1.0, (step + 1) / rising) if rising else 1.0
        if self.name == "step":
            return risen * self.step_factor ** (step // (epoch_steps * self.step_epochs))
        if step < rising or self.name == "constant":
            return risen
        done = min(1.0, (step - rising) / max(1, steps - rising))
        return 1.0 - done if self.name == "linear" else _cosine(1.0, 0.0, done)


def _one_cycle(step: int, steps: int) -> float:
    peak = round(_CYCLE_RISE * steps)
    if step < peak:
        return _cosine(_CYCLE_START, 1.0, step / peak)
    return _cosine(1.0, _CYCLE_END, min(1.0, (step - peak) / max(1, steps - peak)))


def _cosine(start: float, end: float, done: float) -> float:
    """From `start` to `end` along half a wave, of which the share `done` is behind."""
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * done))


def set_rates(optimizer: Optimizer, factor: float, scales: Mapping[str, float] | None = None) -> None:
    """Set every group's learning rate to `factor` of its peak, times the scale of its part where there is one."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor * (scales or {}).get(group["part"], 1.0)

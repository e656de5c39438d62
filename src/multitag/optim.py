"""The optimiser, and the learning rate as a pure function of the step: nothing to restore on resuming."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from torch import nn
from torch.optim import AdamW, Optimizer

Schedule = Literal["cosine", "linear", "constant"]


def build_optimizer(
    heads: Iterable[nn.Parameter],
    encoders: Iterable[nn.Parameter],
    *,
    lr: float,
    encoder_lr: float,
    decay: float,
) -> AdamW:
    """AdamW (Loshchilov & Hutter, arXiv 1711.05101); vectors (biases, norms) are not decayed.

    Args:
        heads: Parameters of the fusion, the heads and the missing tokens.
        encoders: Parameters of encoders that train.
        lr: For the heads.
        encoder_lr: For the encoders.
        decay: Weight decay.
    """
    groups = []
    for parameters, rate in ((list(heads), lr), (list(encoders), encoder_lr)):
        trained = [p for p in parameters if p.requires_grad]
        for matrices in (True, False):
            chosen = [p for p in trained if (p.ndim > 1) == matrices]
            if chosen:
                groups.append(
                    {
                        "params": chosen,
                        "lr": rate,
                        "peak_lr": rate,
                        "weight_decay": decay if matrices else 0.0,
                    }
                )
    return AdamW(groups)


def rate_factor(step: int, steps: int, *, schedule: Schedule, warmup: float) -> float:
    """The learning rate's share of its peak at `step` of `steps`: a linear warm-up, then a decay to zero.

    Args:
        step: From 0.
        steps: The number of steps in all.
        schedule: How it decays.
        warmup: The share of the steps that it rises for.
    """
    rising = max(1, round(warmup * steps)) if warmup else 0
    if step < rising:
        return (step + 1) / rising
    if schedule == "constant":
        return 1.0
    done = min(1.0, (step - rising) / max(1, steps - rising))
    return 1.0 - done if schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))


def set_rates(optimizer: Optimizer, factor: float) -> None:
    """Set every group's learning rate to `factor` of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak_lr"] * factor

"""Focal loss, with the three ways in which its alpha is read."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from multitag.errors import ConfigError
from multitag.losses.base import Labels, Loss, Smoothing


class Focal(Loss):
    """-a_t (1 - p_t)^gamma log p_t, with p_t = p where y = 1 and 1 - p where y = 0 (Lin et al. 2017, RetinaNet).

    Labels that are right already weigh little. With gamma 0, alpha 1 and ``alpha_mode = "scale"`` it is BCE. A smoothed
    target takes its share of both sides.

    Args:
        gamma: How fast the weight of labels that are right already falls.
        alpha: The weight, read as `alpha_mode` says.
        alpha_mode: ``"balanced"``: alpha where y = 1 and 1 - alpha where y = 0, alpha from 0 to 1. ``"positive"``:
            alpha where y = 1 and 1 where y = 0; the only reading of an alpha above 1, such as the 1.2 of Dong 2024,
            that favours positives. ``"scale"``: alpha everywhere.
        smoothing: As of `Loss`.

    Raises:
        ConfigError: An alpha above 1 that is read as a balance, or one of 0 that scales everything.
    """

    def __init__(
        self,
        *,
        gamma: Annotated[float, Field(ge=0)] = 2.0,
        alpha: Annotated[float, Field(ge=0)] = 0.25,
        alpha_mode: Literal["balanced", "positive", "scale"] = "balanced",
        smoothing: Smoothing = 0.0,
    ) -> None:
        super().__init__(smoothing=smoothing)
        if alpha_mode == "balanced" and alpha > 1:
            raise ConfigError(
                f"option 'alpha' = {alpha}: with alpha_mode = 'balanced' negatives would weigh 1 - alpha = "
                f"{1 - alpha:g}, below 0, and a loss that rewards wrong answers has no lower bound. Accepted: 0 to 1. "
                f"Fix: alpha_mode = 'positive', where alpha weighs positives only, or 'scale'"
            )
        if alpha_mode == "scale" and alpha == 0:
            raise ConfigError(
                "option 'alpha' = 0: with alpha_mode = 'scale' it weighs everything, and nothing would be learned. "
                "Accepted: above 0"
            )
        self.gamma = gamma
        self.positive = alpha
        self.negative = {"balanced": 1 - alpha, "positive": 1.0, "scale": alpha}[alpha_mode]

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        there = labels.soft * focused(logits, self.gamma)
        absent = (1 - labels.soft) * focused(-logits, self.gamma)
        return self.positive * there + self.negative * absent


def focused(u: Tensor, gamma: float) -> Tensor:
    """-(1 - p)^gamma log p of p = sigmoid(u).

    The power is taken of logarithms: a plain one with gamma below 1 has an infinite gradient where p rounds to 1.
    """
    return -torch.exp(gamma * logsigmoid(-u)) * logsigmoid(u)

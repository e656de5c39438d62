"""Lambda-weighted fusion: each encoder's head gives probabilities, and one loss is on their weighted mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from multitag.errors import ConfigError
from multitag.fusions.base import Fusion
from multitag.fusions.mixture import mixture_logit
from multitag.types import Encoded, Width

SLACK = 1e-6
"""How far from 1 the sum of given weights may be."""


class Weighted(Fusion):
    """p = lambda sigmoid(H_v(x_v)) + (1 - lambda) sigmoid(H_t(x_t)): a head for each encoder, probabilities weighted.

    In general p = sum_n lambda_n p_n with sum 1. A COMP5329 course report (2024) does so with two models trained apart,
    lambda .5; here the heads are trained together, with one loss on p. The model's logit is that of p. Weights of their
    own for each label, and models trained apart, are for ensembles.

    Args:
        weights: ``"equal"``; ``"learned"`` with the heads, from equal ones, the same for all labels; or a number for
            each encoder in the configuration's order, with sum 1.

    Raises:
        ConfigError: There are not as many weights as encoders, or their sum is not 1.
    """

    log_weights: Tensor

    def __init__(
        self,
        widths: Mapping[str, Width],
        /,
        *,
        weights: Literal["equal", "learned"] | tuple[Annotated[float, Field(ge=0)], ...] = "equal",
    ) -> None:
        super().__init__(widths)
        self.branches = dict(widths)
        if isinstance(weights, str):
            given = torch.full((len(widths),), -math.log(len(widths)))
        else:
            _require_weights(weights, widths)
            given = torch.tensor(weights).log()
        if weights == "learned":
            self.log_weights = nn.Parameter(torch.zeros(len(widths)))
        else:
            self.register_buffer("log_weights", given, persistent=False)  # the configuration holds them
        self.learned = weights == "learned"

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """What each encoder gives, as it is."""
        return {name: encoded[name] for name in self.widths}

    def combine(self, logits: Mapping[str, Tensor]) -> Tensor:
        """The logit of the weighted mean of the branches' probabilities."""
        log_weights = self.log_weights.log_softmax(0) if self.learned else self.log_weights
        return mixture_logit(torch.stack([logits[branch] for branch in self.branches]), log_weights)


def _require_weights(weights: tuple[float, ...], widths: Mapping[str, Width]) -> None:
    shown = f"fusion 'weighted', option 'weights' = {list(weights)}"
    if len(weights) != len(widths):
        raise ConfigError(
            f"{shown}: {len(weights)} numbers for {len(widths)} encoders ({', '.join(widths)}). "
            f"Fix: a number for each, in this order"
        )
    if abs(sum(weights) - 1) > SLACK:
        raise ConfigError(f"{shown}: must sum to 1, and sum to {sum(weights):g}. Fix: divide each by the sum")

"""Asymmetric loss."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from multitag.losses.base import Labels, Loss, Smoothing

Gamma = Annotated[float, Field(ge=0)]


class Asymmetric(Loss):
    """-[y (1 - p)^g+ log p + (1 - y) q^g- log(1 - q)], q = max(p - margin, 0) (ASL; Ridnik et al. 2021, ICCV).

    Negatives are many and mostly easy: they lose weight faster than positives, and those below the margin count
    nothing. No gradient goes through the weights (1 - p)^g+ and q^g-. With both gammas and the margin 0 it is BCE. Its
    probabilities come out too high: keep a calibration.

    Args:
        gamma_negative: g-, for labels that are not there.
        gamma_positive: g+, for labels that are; the paper's own training script has 0.
        margin: How much is taken off a negative's probability.
        smoothing: As of `Loss`.
    """

    def __init__(
        self,
        *,
        gamma_negative: Gamma = 4.0,
        gamma_positive: Gamma = 1.0,
        margin: Annotated[float, Field(ge=0, lt=1)] = 0.05,
        smoothing: Smoothing = 0.0,
    ) -> None:
        super().__init__(smoothing=smoothing)
        self.gamma_negative, self.gamma_positive, self.margin = gamma_negative, gamma_positive, margin

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        p = logits.detach().sigmoid()
        shifted = (p - self.margin).clamp_min(0)
        there = torch.sigmoid(-logits.detach()) ** self.gamma_positive * logsigmoid(logits)
        absent = shifted**self.gamma_negative * self._log_absent(logits)
        return -(labels.soft * there + (1 - labels.soft) * absent)

    def _log_absent(self, logits: Tensor) -> Tensor:
        """log(1 - q); without a margin from the logit itself, where 1 - p would round to 0."""
        if self.margin == 0:
            return logsigmoid(-logits)
        return torch.log((torch.sigmoid(-logits) + self.margin).clamp_max(1))

"""Distribution-balanced loss."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from multitag.losses.base import Labels, Loss, Smoothing, require_fitted
from multitag.losses.focal import focused
from multitag.losses.frequencies import label_frequencies

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class DistributionBalanced(Loss):
    """w [-y log s(u) - (1 - y) / lam log(1 - s(lam u))], s the sigmoid, for long tails (DB; Wu et al. 2020, ECCV).

    n_k of the N training rows have label k. Two changes to binary cross-entropy. Re-balanced weighting: w = alpha +
    s(beta (r - mu)), r = (1 / n_k) / (sum over the row's labels j of 1 / n_j), so that common labels do not count for
    the company they keep; in a row without labels w is 1 + alpha, its limit. Negative-tolerant regularisation:
    u = z - kappa log(N / n_k - 1) and the factor lam, so that the pressure on a rare label ends early where it is not
    there.

    The defaults are those of the authors' code for MS-COCO. There kappa is divided by lam, which they call a mistake;
    here it is not.

    Args:
        alpha: The least weight.
        beta: How sharply the weight turns from low to high.
        mu: The r at which it turns.
        lam: Lambda; the larger, the sooner the pressure on a negative ends.
        kappa: How far a label's logit is moved for its rarity.
        gamma: 0, or the gamma of a focal loss on top; 2 is the paper's DB-Focal.
        smoothing: As of `Loss`; the weights are those of the labels as given.
    """

    inverse: Tensor
    shift: Tensor

    def __init__(
        self,
        *,
        alpha: NotNegative = 0.1,
        beta: Positive = 10.0,
        mu: NotNegative = 0.2,
        lam: Positive = 2.0,
        kappa: NotNegative = 0.05,
        gamma: NotNegative = 0.0,
        smoothing: Smoothing = 0.0,
    ) -> None:
        super().__init__(smoothing=smoothing)
        self.alpha, self.beta, self.mu, self.lam, self.kappa, self.gamma = alpha, beta, mu, lam, kappa, gamma
        self.register_buffer("inverse", torch.empty(0))
        self.register_buffer("shift", torch.empty(0))

    def fit(self, targets: Tensor) -> None:
        """Count the labels of (N, K) training targets, NaN where not known."""
        positives, rows = label_frequencies(targets)
        # A label of every row has as little to be moved by as one that half a row lacks: log 0 is no number.
        self.shift = (self.kappa * ((rows - positives).clamp_min(0.5) / positives).log()).to(self.shift)
        self.inverse = (1 / positives).to(self.inverse)

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        inverse = require_fitted(self.inverse, "distribution_balanced")
        company = (labels.hard * inverse).sum(-1, keepdim=True)
        # Without labels 1 / 0, infinite, whose sigmoid is 1.
        weights = self.alpha + torch.sigmoid(self.beta * (inverse / company - self.mu))
        u = logits - self.shift
        there, absent = focused(u, self.gamma), focused(-self.lam * u, self.gamma) / self.lam
        return weights * (labels.soft * there + (1 - labels.soft) * absent)

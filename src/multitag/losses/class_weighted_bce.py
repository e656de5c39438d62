"""Binary cross-entropy with a weight for each label that grows as the label gets rarer."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from multitag.losses.base import Labels, Loss, Smoothing, require_fitted
from multitag.losses.frequencies import label_frequencies


class ClassWeightedBCE(Loss):
    """w_k times the binary cross-entropy of label k, w_k a logarithm of its rarity (Liu et al. 2025, arXiv 2501.01611).

    n_k of the N training rows whose label k is known have it. The source does not give the form of its "log class
    weights", so there are three. A label that no training row has is taken to have one.

    Args:
        form: ``"log"``: log(N / n_k), which all but deletes a label of most rows. ``"one_plus_log"``: 1 + log(N / n_k),
            so that the commonest label weighs at least 1. ``"at_least_one"``: max(1, log(mu N / n_k)).
        mu: Of ``"at_least_one"``: the smaller, the rarer a label must be to weigh more than 1.
        smoothing: As of `Loss`.
    """

    weights: Tensor

    def __init__(
        self,
        *,
        form: Literal["log", "one_plus_log", "at_least_one"] = "one_plus_log",
        mu: Annotated[float, Field(gt=0)] = 0.15,
        smoothing: Smoothing = 0.0,
    ) -> None:
        super().__init__(smoothing=smoothing)
        self.form, self.mu = form, mu
        self.register_buffer("weights", torch.empty(0))

    def fit(self, targets: Tensor) -> None:
        """Count the labels of (N, K) training targets, NaN where not known."""
        positives, rows = label_frequencies(targets)
        rarity = rows / positives
        weights = {
            "log": rarity.log(),
            "one_plus_log": 1 + rarity.log(),
            "at_least_one": (self.mu * rarity).log().clamp_min(1),
        }
        self.weights = weights[self.form].to(self.weights)

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        weights = require_fitted(self.weights, "class_weighted_bce")
        return weights * binary_cross_entropy_with_logits(logits, labels.soft, reduction="none")

"""Hill loss."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from multitag.losses.base import Labels, Loss, Smoothing
from multitag.losses.focal import focused


class Hill(Loss):
    """-y (1 - q)^gamma log q + (1 - y) (lam - p) p^2, q = sigmoid(z - margin) (Zhang et al. 2021, arXiv 2112.07368).

    For tables in which labels are missing: a negative that the model is sure of may be a label that nobody wrote down.
    So a negative's gradient rises with p, but falls again towards p = 1, like a hill. Positives have a focal loss with
    a margin.

    Args:
        lam: Lambda of the negatives' term. At 1.5, the paper's, the gradient vanishes at p = 1; below it, negatives
            above p = 2 lam / 3 are pushed up.
        margin: Taken off a positive's logit; the paper recommends .5 to 1.
        gamma: How fast the weight of positives that are right already falls.
        smoothing: As of `Loss`.
    """

    def __init__(
        self,
        *,
        lam: Annotated[float, Field(ge=1)] = 1.5,
        margin: Annotated[float, Field(ge=0)] = 1.0,
        gamma: Annotated[float, Field(ge=0)] = 2.0,
        smoothing: Smoothing = 0.0,
    ) -> None:
        super().__init__(smoothing=smoothing)
        self.lam, self.margin, self.gamma = lam, margin, gamma

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        p = torch.sigmoid(logits)
        there, absent = focused(logits - self.margin, self.gamma), (self.lam - p) * p**2
        return labels.soft * there + (1 - labels.soft) * absent

"""What every loss is: elementwise terms, and one masked mean over the real elements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn


class Loss(nn.Module, ABC):
    """Base of all losses: a mean over known elements, so that neither batch size nor padding changes its scale.

    Args:
        smoothing: Label smoothing for several labels, e: a target y becomes y (1 - e) + e / 2 (not e / K, which is for
            one label of K). Thresholds and calibration are fitted afterwards, so nothing else need change.
    """

    def __init__(self, *, smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing

    @abstractmethod
    def terms(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each element.

        Args:
            logits: Any shape whose last dimension is K.
            targets: 0 or 1 (or between, where smoothed), of the same shape; never NaN.
        """

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean of the terms over elements whose target is known; 0 where none is.

        Args:
            logits: (B, K), or (B, T, K).
            targets: Of the same shape; NaN marks an element that is not known or is padding.
        """
        known = ~torch.isnan(targets)
        # At least float32, where sums do not overflow. Zeros at unknown elements before and after: neither an
        # infinite logit nor an infinite term there may become NaN, in the gradient as little as in the value.
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        soft = torch.nan_to_num(targets).to(wide.dtype) * (1 - self.smoothing) + self.smoothing / 2
        terms = self.terms(torch.where(known, wide, 0.0), soft)
        return torch.where(known, terms, 0.0).sum() / known.sum().clamp_min(1)

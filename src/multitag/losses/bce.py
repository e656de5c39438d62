"""Binary cross-entropy."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from multitag.losses.base import Labels, Loss


class BCE(Loss):
    """-[y log p + (1 - y) log(1 - p)] with p = sigmoid(z), computed from logits, so that no z overflows.

    Args:
        smoothing: Label smoothing e: a target y becomes y (1 - e) + e / 2.
    """

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        return binary_cross_entropy_with_logits(logits, labels.soft, reduction="none")

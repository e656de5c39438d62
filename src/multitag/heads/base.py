"""What every head is: an `Encoded` in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from multitag.types import Encoded


class Head(nn.Module, ABC):
    """Base of all heads.

    Args:
        width: D, the size of the branch's vector.
        labels: K, the number of labels.
    """

    def __init__(self, width: int, labels: int, /) -> None:
        super().__init__()
        self.width = width
        self.labels = labels

    @abstractmethod
    def forward(self, encoded: Encoded) -> Tensor:
        """Logits (B, K)."""

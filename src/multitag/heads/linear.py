"""One linear layer."""

from __future__ import annotations

from torch import Tensor, nn

from multitag.heads.base import Head, Share
from multitag.layers import Dropout
from multitag.types import Encoded, Width


class Linear(Head):
    """z = W x + b: with BCE, one logistic regression per label.

    Args:
        dropout: Share of the inputs dropped while training.
    """

    def __init__(self, width: Width, labels: int, /, *, dropout: Share = 0.0) -> None:
        super().__init__(width, labels)
        self.dropout = Dropout(dropout)
        self.out = nn.Linear(width.pooled, labels)

    def forward(self, encoded: Encoded) -> Tensor:
        """(B, D) to (B, K)."""
        logits: Tensor = self.out(self.dropout(encoded.pooled))
        return logits

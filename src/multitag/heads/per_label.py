"""A linear layer for each label, each with a dropout of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop

from multitag.heads.base import Head, Share
from multitag.types import Encoded, Width


class PerLabel(Head):
    """z_k = w_k drop_k(x) + b_k: a dropout and a linear layer for each label (the LSTM of Bosia 2023).

    Once trained, this is the head `linear`: the same number of weights, used in the same way. While training, `linear`
    drops the same inputs of a row for all labels, and this head draws anew for each label, so that an unlucky draw
    spoils one label's gradient and not all of a row's. The draws take memory: rows x labels x width. For thousands of
    labels, take `linear`.

    Args:
        dropout: Share of the inputs dropped while training, drawn for each label on its own.
    """

    def __init__(self, width: Width, labels: int, /, *, dropout: Share = 0.4) -> None:
        super().__init__(width, labels)
        self.dropout = dropout
        self.out = nn.Linear(width.pooled, labels)

    def forward(self, encoded: Encoded) -> Tensor:
        """(B, D) to (B, K)."""
        if not self.training or self.dropout == 0:
            plain: Tensor = self.out(encoded.pooled)
            return plain
        dropped = drop(encoded.pooled.unsqueeze(1).expand(-1, self.labels, -1), self.dropout)
        return torch.einsum("bkd,kd->bk", dropped, self.out.weight) + self.out.bias

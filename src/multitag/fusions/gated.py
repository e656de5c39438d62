"""Gated fusion: for each number of the fused vector, how much of it comes from which encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import nn

from multitag.fusions.base import Fusion
from multitag.types import Encoded, Width


class Gated(Fusion):
    """z = H(g * tanh(W_v x_v) + (1 - g) * tanh(W_t x_t)), g = sigmoid(W [x_v; x_t]): gated multimodal unit (GMU).

    From Arevalo et al. (2017, arXiv 1702.01992). The gate has a value for each number of the fused vector and each row.
    With more than two encoders it is a softmax over them, which for two is the formula above; with one there is none.

    Args:
        size: The size of the fused vector.
    """

    def __init__(self, widths: Mapping[str, Width], /, *, size: Annotated[int, Field(ge=1)] = 512) -> None:
        super().__init__(widths)
        self.size = size
        self.maps = nn.ModuleDict({name: nn.Linear(width.pooled, size) for name, width in widths.items()})
        # The last encoder's gate is what the others leave: its logit is 0.
        free = len(widths) - 1
        self.gate = nn.Linear(sum(width.pooled for width in widths.values()), free * size) if free else None
        self.branches = {"gated": Width(size)}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """pooled (B, size)."""
        states = torch.stack([torch.tanh(linear(encoded[name].pooled)) for name, linear in self.maps.items()], dim=1)
        if self.gate is None:
            return {"gated": Encoded(states[:, 0])}
        logits = self.gate(torch.cat([encoded[name].pooled for name in self.widths], dim=-1))
        logits = logits.unflatten(-1, (-1, self.size))  # (B, encoders - 1, size)
        gates = torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=1).softmax(1)
        return {"gated": Encoded((gates * states).sum(1))}

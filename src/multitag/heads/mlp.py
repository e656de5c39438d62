"""A multi-layer perceptron."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from multitag.heads.base import Head
from multitag.types import Encoded, Width

Share = Annotated[float, Field(ge=0, lt=1)]


class MLP(Head):
    """`layers` x [Linear, LayerNorm, activation, dropout], then Linear to the labels (Guo 2024's MLP head).

    Args:
        hidden: Size of each hidden layer.
        layers: Number of hidden layers.
        activation: ``"gelu"`` or ``"relu"``.
        dropout: Share of hidden units dropped while training.
        input_dropout: Share of inputs dropped while training.
    """

    def __init__(
        self,
        width: Width,
        labels: int,
        /,
        *,
        hidden: Annotated[int, Field(ge=1)] = 512,
        layers: Annotated[int, Field(ge=1)] = 1,
        activation: Literal["gelu", "relu"] = "gelu",
        dropout: Share = 0.5,
        input_dropout: Share = 0.5,
    ) -> None:
        super().__init__(width, labels)
        blocks: list[nn.Module] = [nn.Dropout(input_dropout)]
        for size in [width.pooled] + [hidden] * (layers - 1):
            act = nn.GELU() if activation == "gelu" else nn.ReLU()
            blocks += [nn.Linear(size, hidden), nn.LayerNorm(hidden), act, nn.Dropout(dropout)]
        self.body = nn.Sequential(*blocks)
        self.out = nn.Linear(hidden, labels)

    def forward(self, encoded: Encoded) -> Tensor:
        """(B, D) to (B, K)."""
        logits: Tensor = self.out(self.body(encoded.pooled))
        return logits

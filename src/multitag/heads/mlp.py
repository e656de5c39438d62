"""A multi-layer perceptron."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from multitag.heads.base import Head, Share
from multitag.layers import Dropout
from multitag.types import Encoded, Width


class MLP(Head):
    """`layers` x [Linear, norm, activation, dropout], then Linear to the labels (Guo 2024's MLP head).

    The three fully connected layers over Bosia 2023's ResNet-34 (its architecture B) are layers 2, activation
    relu, norm none, dropout .4 and input_dropout 0.

    Args:
        hidden: Size of each hidden layer.
        layers: Number of hidden layers.
        activation: ``"gelu"`` or ``"relu"``.
        norm: ``"layer"``, ``"batch"`` or ``"none"``. With ``"batch"``, training depends on the batch size.
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
        norm: Literal["layer", "batch", "none"] = "layer",
        dropout: Share = 0.5,
        input_dropout: Share = 0.5,
    ) -> None:
        super().__init__(width, labels)
        norms: dict[str, type[nn.Module]] = {"layer": nn.LayerNorm, "batch": BatchNorm}
        blocks: list[nn.Module] = [Dropout(input_dropout)]
        for size in [width.pooled] + [hidden] * (layers - 1):
            blocks += [nn.Linear(size, hidden)]
            blocks += [norms[norm](hidden)] if norm in norms else []
            blocks += [nn.GELU() if activation == "gelu" else nn.ReLU(), Dropout(dropout)]
        self.body = nn.Sequential(*blocks)
        self.out = nn.Linear(hidden, labels)

    def forward(self, encoded: Encoded) -> Tensor:
        """(B, D) to (B, K)."""
        logits: Tensor = self.out(self.body(encoded.pooled))
        return logits


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that takes a last batch of one row, by the statistics so far: one row has none."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, D) to (B, D)."""
        if self.training and len(input) < 2:
            return batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)

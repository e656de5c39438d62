"""A gated multi-layer perceptron over the pieces of a branch's vector."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import gelu

from multitag.errors import ConfigError
from multitag.heads.base import Head, Share
from multitag.layers import Dropout
from multitag.types import Encoded, Width


class GatedBlock(nn.Module):
    """X + (A * S) W2, with [A, G] = GELU(LN(X) W1) and S = Wsp LN(G) + bsp (Liu et al. 2021).

    Wsp (n, n) mixes tokens. It starts near 0 and bsp at 1, so that the gate S starts as the identity.

    Args:
        tokens: n, the number of tokens.
        dim: d, the size of a token. A and G are 2 d wide.
        dropout: Share of the gated units A * S dropped while training.
    """

    def __init__(self, tokens: int, dim: int, dropout: float, /) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, 4 * dim)
        self.gate_norm = nn.LayerNorm(2 * dim)
        self.mix = nn.Parameter(torch.empty(tokens, tokens).uniform_(-1e-3 / tokens, 1e-3 / tokens))
        self.offset = nn.Parameter(torch.ones(tokens))
        self.dropout = Dropout(dropout)
        self.shrink = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n, d) to (B, n, d)."""
        units, gate = gelu(self.expand(self.norm(x))).chunk(2, dim=-1)
        gate = self.mix @ self.gate_norm(gate) + self.offset.unsqueeze(-1)
        mixed: Tensor = x + self.shrink(self.dropout(units * gate))
        return mixed


class GMLP(Head):
    """`layers` gMLP blocks over pieces of the vector, their mean, LayerNorm, Linear (Liu et al. 2021).

    arXiv 2105.08050. A piece becomes a token of size `dim` by a linear map of its own. Guo 2024 puts gMLP over fused
    vectors and does not say what its tokens are, so there are three ways. A branch of one modality (fusion sum) is one
    token with ``"modalities"``: there is nothing to mix, and the block is a multiplicative gate.

    Args:
        tokens: What is a token: ``"modalities"``, the vector of each encoder that the branch was joined from;
            ``"chunks"``, an equal share of the vector; ``"plain"``, the whole vector.
        chunks: Number of shares of ``"chunks"``.
        dim: d, the size of a token. A block is 4 d wide inside.
        layers: Number of blocks.
        dropout: Share of gated units, and of the mean's units, dropped while training.
        input_dropout: Share of inputs dropped while training.

    Raises:
        ConfigError: There are more chunks than numbers in the vector.
    """

    def __init__(
        self,
        width: Width,
        labels: int,
        /,
        *,
        tokens: Literal["modalities", "chunks", "plain"] = "modalities",
        chunks: Annotated[int, Field(ge=1)] = 16,
        dim: Annotated[int, Field(ge=1)] = 256,
        layers: Annotated[int, Field(ge=1)] = 1,
        dropout: Share = 0.5,
        input_dropout: Share = 0.5,
    ) -> None:
        super().__init__(width, labels)
        if tokens == "chunks" and chunks > width.pooled:
            raise ConfigError(
                f"head 'gmlp', chunks = {chunks}: the vector has {width.pooled} numbers, too few for as many chunks. "
                f"Fix: set chunks to at most {width.pooled}, or tokens to 'plain'"
            )
        self.sizes: tuple[int, ...] = (width.pooled,)
        if tokens == "chunks":
            self.sizes = tuple(len(share) for share in torch.arange(width.pooled).tensor_split(chunks))
        elif tokens == "modalities" and width.parts:
            self.sizes = width.parts
        self.input_dropout = Dropout(input_dropout)
        self.maps = nn.ModuleList(nn.Linear(size, dim) for size in self.sizes)
        self.blocks = nn.Sequential(*(GatedBlock(len(self.sizes), dim, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self.out = nn.Linear(dim, labels)

    def forward(self, encoded: Encoded) -> Tensor:
        """(B, D) to (B, K)."""
        pieces = self.input_dropout(encoded.pooled).split(self.sizes, dim=-1)
        tokens = torch.stack([linear(piece) for linear, piece in zip(self.maps, pieces, strict=True)], dim=1)
        logits: Tensor = self.out(self.dropout(self.norm(self.blocks(tokens).mean(1))))
        return logits

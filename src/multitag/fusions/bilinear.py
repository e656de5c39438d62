"""Low-rank bilinear fusion: products of picture and text, beside each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import nn

from multitag.fusions.base import Fusion
from multitag.types import Encoded, Width


class Bilinear(Fusion):
    """z = H(LN(sum_r (1 + U_r x_v) * (1 + V_r x_t))): low-rank bilinear pooling, its linear terms kept.

    Low-rank products are from Kim et al. (2017, arXiv 1610.04325), their sum over r from MUTAN (Ben-younes et al. 2017,
    arXiv 1705.06676), the ones, which are learned too, from Liu et al. (2018, arXiv 1806.00064), for any number of
    encoders. The ones let each encoder speak for itself as well, and one that has nothing to say leaves the product
    alone. LN, a layer normalisation, keeps the size of products in hand.

    Args:
        size: The size of the product.
        rank: How many products are added up for each number.
    """

    def __init__(
        self,
        widths: Mapping[str, Width],
        /,
        *,
        size: Annotated[int, Field(ge=1)] = 512,
        rank: Annotated[int, Field(ge=1)] = 2,
    ) -> None:
        super().__init__(widths)
        self.rank = rank
        self.maps = nn.ModuleDict({name: nn.Linear(width.pooled, rank * size) for name, width in widths.items()})
        for linear in self.maps.values():
            nn.init.ones_(linear.bias)  # type: ignore[arg-type]
        self.norm = nn.LayerNorm(size)
        self.branches = {"product": Width(size)}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """pooled (B, size)."""
        product = torch.stack([linear(encoded[name].pooled) for name, linear in self.maps.items()]).prod(0)
        summed = product.view(len(product), self.rank, -1).sum(1)
        return {"product": Encoded(self.norm(summed))}

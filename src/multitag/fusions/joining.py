"""Several encoders' vectors and tokens as one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from multitag.types import Encoded, Width


class Joining(nn.Module):
    """[x_v; x_t]: pooled vectors joined; tokens, where they are wanted, in one sequence.

    Tokens of different encoders differ in size: each encoder's go through a linear map of its own (whose offset says
    whose they are) to the smallest of the sizes first.

    Args:
        widths: How wide what each encoder gives is, by the encoder's name, in the model's order.

    Attributes:
        width: Of what comes out.
    """

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__()
        self.names = list(widths)
        parts = tuple(width.pooled for width in widths.values())
        sizes = {name: width.tokens for name, width in widths.items() if width.tokens is not None}
        self.width = Width(sum(parts), min(sizes.values()) if sizes else None, parts)
        smallest = self.width.tokens or 0
        self.maps = nn.ModuleDict({name: nn.Linear(size, smallest) for name, size in sizes.items()})

    def forward(self, encoded: Mapping[str, Encoded]) -> Encoded:
        """pooled (B, D_1 + D_2 + ...); tokens (B, T_1 + T_2 + ..., D') and their mask."""
        pooled = torch.cat([encoded[name].pooled for name in self.names], dim=-1)
        tokens, masks = [], []
        for name, linear in self.maps.items():
            part = encoded[name]
            if part.tokens is not None and part.mask is not None:
                tokens.append(linear(part.tokens))
                masks.append(part.mask)
        return Encoded(pooled, torch.cat(tokens, 1), torch.cat(masks, 1)) if tokens else Encoded(pooled)

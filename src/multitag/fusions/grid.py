"""Where on the picture a token stands."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GridPosition(nn.Module):
    """x + W (column, row) + b, both from -1 to 1: a linear position code (Messina et al. 2021).

    How many real tokens a row has says what they are. A square number, four at least: a square grid, row by row.
    One more: the same behind a class token, which stands one step to the left of the first place. Any other number
    (the single token of a missing picture, a grid that is no square, more than one special token): no code.

    Args:
        width: The size of a token.
    """

    def __init__(self, width: int, /) -> None:
        super().__init__()
        self.map = nn.Linear(2, width)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D') to (B, T, D'); only the row's own real tokens count, never how far the batch is padded."""
        count = mask.sum(1, keepdim=True)
        leading = (_root(count) ** 2 != count).long()
        side = _root(count - leading)
        is_grid = (side**2 == count - leading) & (side >= 2)
        side = side.clamp_min(2)
        place = mask.cumsum(1) - 1 - leading  # -1 for a class token
        column = torch.where(place < 0, -1, place % side)
        row = place.clamp_min(0) // side
        at = 2 * torch.stack([column, row], dim=-1) / (side - 1).unsqueeze(-1) - 1
        code: Tensor = self.map(at.to(self.map.weight.dtype))
        return tokens + code * is_grid.unsqueeze(-1)


def _root(number: Tensor) -> Tensor:
    """The nearest whole number to the square root."""
    return number.clamp_min(0).double().sqrt().round().long()

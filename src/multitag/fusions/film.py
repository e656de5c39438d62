"""Feature-wise modulation: one encoder scales and shifts what the others say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import nn

from multitag.fusions.base import Fusion
from multitag.fusions.checks import require_encoder, require_several
from multitag.types import Encoded, Width


class Film(Fusion):
    """z = H((1 + G x_t) * U x_v + B x_t): the text scales and shifts the picture's vector (FiLM).

    From Perez et al. (2018, arXiv 1709.07871); the scale is counted from 1, as they advise, so that at the start a text
    that says nothing leaves the picture as it is. With more than two encoders the conditioning one does so to each of
    the others, and the results are joined.

    Args:
        size: The size that each vector is brought to before it is scaled and shifted.
        condition: The name of the encoder that scales and shifts the others.

    Raises:
        ConfigError: There is one encoder only, or none of the name `condition`.
    """

    def __init__(
        self, widths: Mapping[str, Width], /, *, size: Annotated[int, Field(ge=1)] = 512, condition: str = "text"
    ) -> None:
        super().__init__(widths)
        require_several("film", widths)
        require_encoder("film", "condition", condition, widths)
        self.condition = condition
        others = {name: width.pooled for name, width in widths.items() if name != condition}
        asked = widths[condition].pooled
        self.maps = nn.ModuleDict({name: nn.Linear(width, size) for name, width in others.items()})
        self.scales = nn.ModuleDict({name: nn.Linear(asked, size) for name in others})
        self.shifts = nn.ModuleDict({name: nn.Linear(asked, size) for name in others})
        for linear in (*self.scales.values(), *self.shifts.values()):
            nn.init.zeros_(linear.bias)  # type: ignore[arg-type]
        parts = (size,) * len(others)
        self.branches = {"modulated": Width(sum(parts), parts=parts if len(parts) > 1 else ())}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """pooled (B, size), or (B, size * others) where there are more than two encoders."""
        given = encoded[self.condition].pooled
        modulated = [
            (1 + self.scales[name](given)) * linear(encoded[name].pooled) + self.shifts[name](given)
            for name, linear in self.maps.items()
        ]
        return {"modulated": Encoded(torch.cat(modulated, dim=-1))}

"""Early fusion: one head over the joined vectors."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from multitag.fusions.base import Fusion
from multitag.types import Encoded


class Concat(Fusion):
    """z = H([x_v; x_t]): the pooled vectors joined, one head over all (early fusion; Guo 2024, arXiv 2406.16141)."""

    def __init__(self, widths: Mapping[str, int], /) -> None:
        super().__init__(widths)
        self.branches = {"joined": sum(widths.values())}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """pooled (B, D_v + D_t), in the model's order of encoders."""
        return {"joined": Encoded(torch.cat([encoded[name].pooled for name in self.widths], dim=-1))}

"""Early fusion: one head over the joined vectors."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.fusions.base import Fusion
from multitag.fusions.joining import Joining
from multitag.types import Encoded, Width


class Concat(Fusion):
    """z = H([x_v; x_t]): the pooled vectors joined, one head over all (early fusion; Guo 2024, arXiv 2406.16141)."""

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__(widths)
        self.joining = Joining(widths)
        self.branches = {"joined": self.joining.width}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """pooled (B, D_v + D_t), in the model's order of encoders; tokens in one sequence."""
        return {"joined": self.joining(encoded)}

"""Late fusion: a head for each encoder, logits added."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.fusions.base import Fusion
from multitag.types import Encoded


class Sum(Fusion):
    """z = H_v(x_v) + H_t(x_t): a head for each encoder, one loss on the sum (late fusion; Guo 2024)."""

    def __init__(self, widths: Mapping[str, int], /) -> None:
        super().__init__(widths)
        self.branches = dict(widths)

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """Each encoder's own pooled vector (B, D)."""
        return {name: Encoded(encoded[name].pooled) for name in self.widths}

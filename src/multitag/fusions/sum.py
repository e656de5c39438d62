"""Late fusion: a head for each encoder, logits added."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.fusions.base import Fusion
from multitag.types import Encoded, Width


class Sum(Fusion):
    """z = H_v(x_v) + H_t(x_t): a head for each encoder, one loss on the sum (late fusion; Guo 2024)."""

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__(widths)
        self.branches = dict(widths)

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """What each encoder gives, as it is."""
        return {name: encoded[name] for name in self.widths}

"""Early and late fusion together."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from multitag.errors import ConfigError
from multitag.fusions.base import Fusion
from multitag.types import Encoded

JOINED = "joined"


class Mixed(Fusion):
    """z = H_v(x_v) + H_t(x_t) + H_c([x_v; x_t]): a head for each encoder and one over the joined vectors (Guo 2024)."""

    def __init__(self, widths: Mapping[str, int], /) -> None:
        super().__init__(widths)
        if JOINED in widths:
            raise ConfigError(f"fusion 'mixed' keeps the name '{JOINED}' for itself: call the encoder otherwise")
        self.branches = {**widths, JOINED: sum(widths.values())}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """Each encoder's own pooled vector, and all of them joined."""
        own = {name: Encoded(encoded[name].pooled) for name in self.widths}
        return {**own, JOINED: Encoded(torch.cat([encoded[name].pooled for name in self.widths], dim=-1))}

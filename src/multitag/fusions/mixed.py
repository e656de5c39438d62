"""Early and late fusion together."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.errors import ConfigError
from multitag.fusions.base import Fusion
from multitag.fusions.joining import Joining
from multitag.types import Encoded, Width

JOINED = "joined"


class Mixed(Fusion):
    """z = H_v(x_v) + H_t(x_t) + H_c([x_v; x_t]): a head for each encoder and one over the joined vectors (Guo 2024)."""

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__(widths)
        if JOINED in widths:
            raise ConfigError(f"fusion 'mixed' keeps the name '{JOINED}' for itself: call the encoder otherwise")
        self.joining = Joining(widths)
        self.branches = {**widths, JOINED: self.joining.width}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """What each encoder gives, and all of it joined."""
        return {**{name: encoded[name] for name in self.widths}, JOINED: self.joining(encoded)}

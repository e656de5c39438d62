"""No fusion: one encoder's vector goes straight to the head."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.errors import ConfigError
from multitag.fusions.base import Fusion
from multitag.types import Encoded, Width


class Single(Fusion):
    """z = H(x): the head over one encoder alone, for pictures alone or texts alone."""

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__(widths)
        if len(widths) != 1:
            raise ConfigError(
                f"fusion 'single' takes one encoder, and the configuration has {len(widths)}: {', '.join(widths)}. "
                f"Fix: choose another fusion, or leave encoders out (--without NAME)"
            )
        self.branches = dict(widths)

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """What the encoder gives, as it is."""
        return {name: encoded[name] for name in self.widths}

"""The plain mean of the members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from multitag.combiners.base import Combiner, Floats
from multitag.combiners.mixture import mix
from multitag.gold import Gold


class Mean(Combiner):
    """Takes the mean of the members' logits, or of their probabilities; there is nothing to fit.

    The mean of logits lets a member that is very sure outvote others that are not; the mean of probabilities does not.

    Args:
        of: What the mean is taken of.
    """

    def __init__(self, members: int, /, *, of: Literal["logits", "probabilities"] = "logits") -> None:
        super().__init__(members)
        self.of = of

    def _fit(self, logits: Floats, gold: Gold) -> None: ...

    def _apply(self, logits: Floats) -> Floats:
        if self.of == "logits":
            return np.asarray(logits.mean(axis=0))
        return mix(logits, np.full((self.members, 1), 1 / self.members))

    def _state(self) -> dict[str, Any]:
        return {}

    def _load_state(self, state: Mapping[str, Any]) -> None: ...

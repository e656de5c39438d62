"""No calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from multitag.decisions.calibration import Calibration, sigmoid
from multitag.decisions.checks import check_logits
from multitag.gold import check_gold


class Uncalibrated(Calibration):
    """Takes the logits as they are, p = sigmoid(z); there is nothing to fit."""

    def fit(self, logits: npt.ArrayLike, gold: npt.ArrayLike) -> Self:
        """Checks its arguments as the others do, and learns nothing."""
        check_gold(gold, check_logits(logits).shape)
        return self

    def apply(self, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The sigmoid of the logits (N, K)."""
        return sigmoid(check_logits(logits))

    def line(self, labels: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The logit itself; see `Calibration.line`."""
        return np.ones(labels), np.zeros(labels)

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Nothing to take over."""
        return self

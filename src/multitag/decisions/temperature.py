"""One temperature for all labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from multitag.decisions.calibration import Calibration, sigmoid
from multitag.decisions.checks import check_logits
from multitag.gold import check_gold
from multitag.saved_state import saved

_LEAST, _MOST = 0.05, 20.0


class Temperature(Calibration):
    """Divides all logits by one temperature, p = sigmoid(z / T), the one with the least binary cross-entropy.

    The order of labels and rows stays as it is. T lies between .05 and 20, so that separable rows do not
    drive it to zero. Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", here with one
    sigmoid a label.

    Attributes:
        temperature_: T, above 1 where the model was too sure of itself.
    """

    temperature_: float

    def fit(self, logits: npt.ArrayLike, gold: npt.ArrayLike) -> Self:
        """Learns the temperature; see `Calibration.fit`."""
        values = check_logits(logits)
        truth = check_gold(gold, values.shape)
        self.temperature_ = 1 / best_slope(values[truth.known], truth.positive[truth.known])
        return self

    def apply(self, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The probabilities (N, K); see `Calibration.apply`."""
        self._check_fitted("temperature_")
        return sigmoid(check_logits(logits) / self.temperature_)

    def line(self, labels: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """One slope for all, 1 / T; see `Calibration.line`."""
        self._check_fitted("temperature_")
        return np.full(labels, 1 / self.temperature_), np.zeros(labels)

    def state(self) -> dict[str, Any]:
        """The temperature."""
        self._check_fitted("temperature_")
        return {"temperature": self.temperature_}

    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Takes over what `state` gave; see `Calibration.load_state`."""
        self.temperature_ = float(saved(state, "temperature"))
        return self


def best_slope(logits: npt.NDArray[np.float64], positive: npt.NDArray[np.bool_]) -> float:
    """The slope a in [1/20, 20] that minimises the cross-entropy of sigmoid(a z), over cells (M,).

    The cross-entropy is convex in a, so its derivative mean((sigmoid(a z) - y) z) rises: Newton's steps, kept
    in a bracket that shrinks. Without any logit but 0 every slope is as good, and 1 is taken.
    """
    finite = np.clip(logits, -1e4, 1e4)
    target = (positive * finite).mean()
    low, high, slope = 1 / _MOST, 1 / _LEAST, 1.0
    for _ in range(100):
        p = sigmoid(slope * finite)
        derivative = (p * finite).mean() - target
        if derivative == 0:
            return slope
        low, high = (slope, high) if derivative < 0 else (low, slope)
        curvature = (p * (1 - p) * finite**2).mean()
        step = slope - derivative / curvature if curvature > 0 else np.inf if derivative < 0 else -np.inf
        following = step if low < step < high else (_outer(slope, low, high, step) + slope) / 2
        if abs(following - slope) <= 1e-14 * slope or high - low <= 1e-14 * high:
            return following
        slope = float(following)
    return slope


def _outer(slope: float, low: float, high: float, step: float) -> float:
    """The end of the bracket that a step went past."""
    return high if step > slope else low

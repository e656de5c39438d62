"""What all calibrations share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from multitag.errors import NotFittedError


class Calibration(ABC):
    """Maps logits (N, K) to probabilities (N, K), the sigmoid of a rising straight line in the logit of each label."""

    @abstractmethod
    def fit(self, logits: npt.ArrayLike, gold: npt.ArrayLike) -> Self:
        """Learns the map from rows that the model was not trained on.

        Args:
            logits: (N, K), finite.
            gold: (N, K), 1 has the label, 0 has not, NaN not known: such a cell is as if it were not there.

        Raises:
            DataError: Shapes differ, logits are NaN, or no gold label is known.
        """

    @abstractmethod
    def apply(self, logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The probabilities (N, K) of the logits (N, K).

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called, and there is something to fit.
            DataError: Logits are NaN, or of another number of labels than fitted.
        """

    @abstractmethod
    def line(self, labels: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Slopes (K,) and offsets (K,) of the lines of so many labels.

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called, and there is something to fit.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that was fitted, as values that JSON holds exactly."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Takes over what `state` gave.

        Raises:
            RunError: The state is of another calibration, or cut short.
        """

    def _check_fitted(self, attribute: str) -> None:
        if not hasattr(self, attribute):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted. Fix: call fit(logits, gold) or load_state(state) first."
            )


def sigmoid(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1 / (1 + exp(-z)) without overflow, elementwise."""
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, small) / (1 + small))

"""What all decisions share: the never-empty rule, the order of fit and apply, and the saved state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from multitag.decisions.checks import check_choice, check_probabilities
from multitag.errors import NotFittedError
from multitag.gold import Gold, check_gold
from multitag.saved_state import saved
from multitag.types import BoolArray, FloatArray

NeverEmpty = Literal["auto", "yes", "no"]
Target = Literal["samples_f1", "micro_f1", "macro_f1"]


class Decision(ABC):
    """Turns probabilities (N, K) into label sets, boolean (N, K); row by row, so the batch size changes
    nothing.

    Attributes:
        never_empty: "yes" gives a row whose set would be empty its likeliest label (the first of equals),
            "no" leaves it empty, "auto" learns from the data whether every row has a label.
        never_empty_: Whether the rule is on, known once fitted.
    """

    never_empty_: bool

    def __init__(self, *, never_empty: NeverEmpty) -> None:
        check_choice("never_empty", never_empty, NeverEmpty)
        self.never_empty = never_empty

    def fit(self, probs: npt.ArrayLike, gold: npt.ArrayLike, *, always_labelled: bool | None = None) -> Self:
        """Learns the decision from rows that the model was not trained on.

        Args:
            probs: (N, K), calibrated probabilities.
            gold: (N, K), 1 has the label, 0 has not, NaN not known: such a cell is as if it were not there.
            always_labelled: Whether every row of this kind of data has a label, as the training rows say;
                `None` asks the rows of `gold` whose labels are all known. Only ``never_empty="auto"`` heeds
                it.

        Raises:
            DataError: Shapes differ, probabilities are NaN or outside [0, 1], or no gold label is known.
        """
        values = check_probabilities(probs)
        truth = check_gold(gold, values.shape)
        if self.never_empty == "auto":
            self.never_empty_ = _always_labelled(truth) if always_labelled is None else bool(always_labelled)
        else:
            self.never_empty_ = self.never_empty == "yes"
        self._fit(values, truth)
        return self

    def apply(self, probs: npt.ArrayLike) -> BoolArray:
        """The label sets (N, K) of rows with the probabilities (N, K).

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
            DataError: Probabilities are NaN, outside [0, 1], or of another number of labels than fitted.
        """
        self._check_fitted()
        values = check_probabilities(probs)
        chosen = self._apply(values)
        if self.never_empty_ and chosen.shape[1]:
            empty = np.flatnonzero(~chosen.any(axis=1))
            chosen[empty, values[empty].argmax(axis=1)] = True
        return chosen

    def state(self) -> dict[str, Any]:
        """All that was fitted, as values that JSON holds exactly.

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
        """
        self._check_fitted()
        return {"never_empty": self.never_empty_, **self._state()}

    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Takes over what `state` gave.

        Raises:
            RunError: The state is of another decision, or cut short.
        """
        self._load_state(state)
        self.never_empty_ = bool(saved(state, "never_empty"))
        return self

    def _check_fitted(self) -> None:
        if not hasattr(self, "never_empty_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted. Fix: call fit(probs, gold) or load_state(state) first."
            )

    @abstractmethod
    def _fit(self, probs: FloatArray, gold: Gold) -> None: ...

    @abstractmethod
    def _apply(self, probs: FloatArray) -> BoolArray: ...

    @abstractmethod
    def _state(self) -> dict[str, Any]: ...

    @abstractmethod
    def _load_state(self, state: Mapping[str, Any]) -> None: ...


def _always_labelled(gold: Gold) -> bool:
    """Whether every row whose labels are all known has one; False where there is no such row to tell."""
    whole = gold.known.all(axis=1)
    return bool(whole.any() and gold.positive[whole].any(axis=1).all())

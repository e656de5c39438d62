"""What all combiners share: the checks, the order of fit and apply, and the saved state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from multitag.errors import DataError, NotFittedError, RunError
from multitag.gold import Gold, check_gold
from multitag.saved_state import saved

Floats = npt.NDArray[np.float64]
MOST = 1e4
"""Logits are cut off here, so that no sum over members meets infinity."""


class Combiner(ABC):
    """Joins the logits (M, N, K) of M members into logits (N, K), row by row.

    Logits and not probabilities come out, so that calibration and decision follow as after a single model; their
    sigmoid is the combiner's probability, to which calibration ``"none"`` keeps.

    Args:
        members: M.
    """

    labels_: int
    by_modality: ClassVar[bool] = False
    """Whether rows without a picture, and those without a text, get a combiner of their own, fitted on such rows."""

    def __init__(self, members: int, /) -> None:
        self.members = members

    def fit(self, logits: npt.ArrayLike, gold: npt.ArrayLike) -> Self:
        """Learn from rows that no member was trained on.

        Args:
            logits: (M, N, K).
            gold: (N, K), 1 has the label, 0 has not, NaN not known: such a cell is as if it were not there.

        Raises:
            DataError: Shapes differ, logits are NaN, or no gold label is known.
        """
        values = self._checked(logits)
        truth = check_gold(gold, values.shape[1:])
        self._fit(values, truth)
        self.labels_ = values.shape[2]
        return self

    def apply(self, logits: npt.ArrayLike) -> Floats:
        """The joined logits (N, K) of the logits (M, N, K).

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
            DataError: Logits are NaN, or of another number of members or labels than fitted.
        """
        self._check_fitted()
        values = self._checked(logits)
        if values.shape[2] != self.labels_:
            raise DataError(f"logits of {values.shape[2]} labels, but the combiner was fitted on {self.labels_}.")
        return self._apply(values)

    def state(self) -> dict[str, Any]:
        """All that was fitted, as values that JSON holds exactly.

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
        """
        self._check_fitted()
        return {"members": self.members, "labels": self.labels_, **self._state()}

    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Take over what `state` gave.

        Raises:
            RunError: The state is of another combiner, of another number of members, or cut short.
        """
        members = int(saved(state, "members"))
        if members != self.members:
            raise RunError(f"the saved combiner is of {members} members, and there are {self.members}")
        self._load_state(state)
        self.labels_ = int(saved(state, "labels"))
        return self

    def _check_fitted(self) -> None:
        if not hasattr(self, "labels_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted. Fix: call fit(logits, gold) or load_state(state) first."
            )

    def _checked(self, given: npt.ArrayLike) -> Floats:
        values = np.asarray(given)
        if values.ndim != 3:
            raise DataError(f"logits must have the shape (members, rows, labels); got {values.shape}.")
        if len(values) != self.members:
            raise DataError(f"logits of {len(values)} members, but the combiner is for {self.members}.")
        bad = np.isnan(values)
        if bad.any():
            member, row, label = np.argwhere(bad)[0]
            raise DataError(
                f"logits must not be NaN; {int(bad.sum())} of {values.size} are, the first of member {member} at row "
                f"{row}, label {label}. Fix: look for a learning rate that is too high, or broken features."
            )
        return np.clip(values.astype(np.float64), -MOST, MOST)

    @abstractmethod
    def _fit(self, logits: Floats, gold: Gold) -> None: ...

    @abstractmethod
    def _apply(self, logits: Floats) -> Floats: ...

    @abstractmethod
    def _state(self) -> dict[str, Any]: ...

    @abstractmethod
    def _load_state(self, state: Mapping[str, Any]) -> None: ...

"""A logistic regression on what the members say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from multitag.combiners.base import Combiner, Floats
from multitag.gold import Gold
from multitag.saved_state import saved

_FAR = 30.0
"""Logits beyond are taken as this: the regression needs features of one scale."""


class Stacking(Combiner):
    """Fits, for each label, an L2-penalised logistic regression on the members' logits (Wolpert 1992).

    It must see only logits of rows that the members were not trained on: of held-out rows, or out of fold. The diagonal
    form reads a label's own logits, the full form those of all labels, so that it learns which labels go together. A
    label that is known to be there nowhere, or everywhere, gets the mean of its logits.

    Args:
        form: ``"diagonal"`` has M weights and an offset for each label, ``"full"`` M K weights.
        strength: The inverse of the penalty, scikit-learn's C.

    Attributes:
        coefficients_: (K, M), or (K, M K) with all labels of the first member first.
        offsets_: (K,).
    """

    by_modality: ClassVar[bool] = True
    coefficients_: Floats
    offsets_: Floats

    def __init__(
        self,
        members: int,
        /,
        *,
        form: Literal["diagonal", "full"] = "diagonal",
        strength: Annotated[float, Field(gt=0)] = 1.0,
    ) -> None:
        super().__init__(members)
        self.form, self.strength = form, strength

    def _fit(self, logits: Floats, gold: Gold) -> None:
        near = np.clip(logits, -_FAR, _FAR)
        fitted = [self._regression(near, gold, label) for label in range(logits.shape[2])]
        self.coefficients_ = np.array([coefficients for coefficients, _ in fitted])
        self.offsets_ = np.array([offset for _, offset in fitted])

    def _regression(self, logits: Floats, gold: Gold, label: int) -> tuple[Floats, float]:
        """The weights of a label's features, and its offset."""
        rows = gold.known[:, label]
        truth = gold.positive[rows, label]
        if not truth.any() or truth.all():
            own = np.zeros((self.members, logits.shape[2] if self.form == "full" else 1))
            own[:, label if self.form == "full" else 0] = 1 / self.members
            return own.ravel(), 0.0
        from sklearn.linear_model import LogisticRegression  # half a second, which predicting does without

        model = LogisticRegression(C=self.strength, max_iter=1000, tol=1e-8)
        model.fit(self._features(logits[:, rows], label), truth)
        return model.coef_[0].astype(np.float64), float(model.intercept_[0])

    def _features(self, logits: Floats, label: int) -> Floats:
        """(N, M) or (N, M K)."""
        if self.form == "diagonal":
            return logits[:, :, label].T
        members, rows, labels = logits.shape
        return logits.transpose(1, 0, 2).reshape(rows, members * labels)

    def _apply(self, logits: Floats) -> Floats:
        near, joined = np.clip(logits, -_FAR, _FAR), np.empty(logits.shape[1:])
        for label, (coefficients, offset) in enumerate(zip(self.coefficients_, self.offsets_, strict=True)):
            # Summed along the row and not by a matrix product, whose last digits depend on the number of rows.
            joined[:, label] = (self._features(near, label) * coefficients).sum(axis=1) + offset
        return joined

    def _state(self) -> dict[str, Any]:
        return {"coefficients": self.coefficients_.tolist(), "offsets": self.offsets_.tolist()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.coefficients_ = np.asarray(saved(state, "coefficients"), np.float64)
        self.offsets_ = np.asarray(saved(state, "offsets"), np.float64)

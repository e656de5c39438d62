"""Probabilities joined by weights, for all labels or for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from multitag.combiners.base import Combiner, Floats
from multitag.combiners.mixture import best_weights, mix
from multitag.errors import ConfigError
from multitag.gold import Gold
from multitag.saved_state import saved

_SLACK = 1e-6


class LambdaWeighted(Combiner):
    """Joins the members' probabilities by weights, p = sum_n lambda_n p_n, the weights summing to 1.

    Fitted weights are those with the least cross-entropy on rows that no member was trained on, and not those with the
    best F1: cross-entropy has one optimum and needs no threshold, which is only chosen afterwards, while F1 jumps from
    row to row and would have to be searched. A label's own weights lambda_k are shrunk to the common ones:
    (n_k lambda_k + c lambda) / (n_k + c), n_k the label's positives. Two members with given weights are the fusion of a
    COMP5329 course report (2024) on pictures with captions; the shrinkage is our own.

    Args:
        weights: ``"equal"``, ``"fitted"``, or a weight for each member in their order, with sum 1.
        scope: Whether all labels share the fitted weights, or each has its own.
        shrinkage: c, in positives: so many count as much as what all labels say together.

    Attributes:
        weights_: (M, 1), or (M, K) where each label has its own.
    """

    weights_: Floats

    def __init__(
        self,
        members: int,
        /,
        *,
        weights: Literal["equal", "fitted"] | tuple[Annotated[float, Field(ge=0)], ...] = "fitted",
        scope: Literal["global", "per_label"] = "global",
        shrinkage: Annotated[float, Field(ge=0)] = 50.0,
    ) -> None:
        super().__init__(members)
        if not isinstance(weights, str):
            _require_weights(weights, members)
        if scope == "per_label" and weights != "fitted":
            raise ConfigError(
                "option 'scope' = 'per_label': given weights are the same for every label. Fix: weights = \"fitted\""
            )
        self.weights, self.scope, self.shrinkage = weights, scope, shrinkage

    def _fit(self, logits: Floats, gold: Gold) -> None:
        if self.weights == "equal":
            self.weights_ = np.full((self.members, 1), 1 / self.members)
        elif self.weights != "fitted":
            given = np.asarray(self.weights, np.float64)[:, None]
            self.weights_ = given / given.sum()
        else:
            self.weights_ = best_weights(logits, gold, per_label=False)
            if self.scope == "per_label":
                own, positives = best_weights(logits, gold, per_label=True), gold.positive.sum(axis=0)
                share = positives / np.maximum(positives + self.shrinkage, 1e-12)
                self.weights_ = share * own + (1 - share) * self.weights_

    def _apply(self, logits: Floats) -> Floats:
        return mix(logits, self.weights_)

    def _state(self) -> dict[str, Any]:
        return {"weights": self.weights_.tolist()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.weights_ = np.asarray(saved(state, "weights"), np.float64)


def _require_weights(weights: tuple[float, ...], members: int) -> None:
    if len(weights) != members:
        raise ConfigError(f"option 'weights' = {list(weights)}: {len(weights)} weights for {members} members.")
    if abs(sum(weights) - 1) > _SLACK:
        raise ConfigError(f"option 'weights' = {list(weights)}: their sum is {sum(weights):g}; accepted: 1.")

"""One threshold for all labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from multitag.decisions.base import Decision, NeverEmpty, Target
from multitag.decisions.checks import check_choice, check_within
from multitag.decisions.sweep import best_common_cut
from multitag.gold import Gold
from multitag.saved_state import saved
from multitag.types import BoolArray, FloatArray


class GlobalThreshold(Decision):
    """Takes every label whose probability reaches one threshold, given or put where the chosen F1 is best.

    The optimum is exact over all possible cuts, the never-empty rule included, not one of a grid.

    Args:
        threshold: ``"fitted"``, or a fixed one: .5 takes what is likelier than not. Beside one, `metric` says nothing.
        metric: The F1 that is to be best.
        never_empty: As of `Decision`.

    Attributes:
        threshold_: A label is taken where ``p >= threshold_``.
    """

    threshold_: float

    def __init__(
        self,
        *,
        threshold: Literal["fitted"] | Annotated[float, Field(ge=0, le=1)] = "fitted",
        metric: Target = "samples_f1",
        never_empty: NeverEmpty = "auto",
    ) -> None:
        super().__init__(never_empty=never_empty)
        check_choice("metric", metric, Target)
        if threshold != "fitted":
            check_within("threshold", threshold, 0, 1, or_else="fitted")
        self.threshold = threshold
        self.metric: Target = metric

    def _fit(self, probs: FloatArray, gold: Gold) -> None:
        if self.threshold != "fitted":
            self.threshold_ = float(self.threshold)
            return
        self.threshold_ = best_common_cut(probs, gold, self.metric, never_empty=self.never_empty_)

    def _apply(self, probs: FloatArray) -> BoolArray:
        return np.asarray(probs >= np.float64(self.threshold_))

    def _state(self) -> dict[str, Any]:
        return {"threshold": self.threshold_}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.threshold_ = float(saved(state, "threshold"))

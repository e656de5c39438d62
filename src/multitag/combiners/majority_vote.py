"""What most of the members say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from multitag.combiners.base import MOST, Combiner, Floats
from multitag.errors import ConfigError
from multitag.gold import Gold
from multitag.saved_state import saved

_SURE = 1e-6


class MajorityVote(Combiner):
    """Lets each member say yes or no to each label by its own threshold, and gives the share that says yes.

    That share is the "probability": above .5 where most say yes. It takes M + 1 values only, and calibration may give
    each a truer one. 0 and 1 are kept 1e-6 away from the ends of the scale, where a logit would be infinite. The number
    of members must be odd: no vote ends in a tie.

    Args:
        threshold: The probability from which a member says yes; ``"fitted"`` takes for each member the one with the
            best micro F1.

    Attributes:
        cuts_: (M,), a member says yes where its logit reaches its cut.
    """

    cuts_: Floats

    def __init__(
        self, members: int, /, *, threshold: Literal["fitted"] | Annotated[float, Field(gt=0, lt=1)] = "fitted"
    ) -> None:
        super().__init__(members)
        if members % 2 == 0:
            raise ConfigError(
                f"a majority vote needs an odd number of members, so that no vote ends in a tie; there are {members}. "
                f"Fix: one member more or less, or the combiner 'mean'"
            )
        self.threshold: str | float = threshold

    def _fit(self, logits: Floats, gold: Gold) -> None:
        if isinstance(self.threshold, str):
            self.cuts_ = np.array([_best_cut(z[gold.known], gold.positive[gold.known]) for z in logits])
        else:
            self.cuts_ = np.full(self.members, np.log(self.threshold) - np.log1p(-self.threshold))

    def _apply(self, logits: Floats) -> Floats:
        share = (logits >= self.cuts_[:, None, None]).mean(axis=0)
        share = np.clip(share, _SURE, 1 - _SURE)
        return np.asarray(np.log(share) - np.log1p(-share))

    def _state(self) -> dict[str, Any]:
        return {"cuts": self.cuts_.tolist()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.cuts_ = np.asarray(saved(state, "cuts"), np.float64)


def _best_cut(logits: Floats, positive: npt.NDArray[np.bool_]) -> float:
    """The cut with the best micro F1 over cells (C,), halfway to the next logit below; the highest of equals.

    Where there is no positive cell, nothing is right, and the cut is above all.
    """
    order = np.argsort(-logits, kind="stable")
    falling, taken = logits[order], np.arange(1, len(order) + 1)
    last = np.append(falling[1:] < falling[:-1], True)  # cells of one logit are taken together
    score = np.where(last, 2 * np.cumsum(positive[order]) / (taken + positive.sum()), -1.0)
    best = int(np.argmax(score))
    if score[best] <= 0:
        return 2 * MOST
    following = falling[best + 1] if best + 1 < len(falling) else falling[best] - 2.0
    return float(falling[best] + following) / 2

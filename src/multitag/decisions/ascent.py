"""One threshold a label for a target that ties labels together: coordinate ascent with exact steps."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.decisions.base import Target
from multitag.decisions.cuts import above, between, f1
from multitag.gold import Gold
from multitag.types import FloatArray

_TIE = 1e-12


def coordinate_ascent(
    probs: FloatArray,
    gold: Gold,
    thresholds: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    target: Target,
    *,
    never_empty: bool,
) -> npt.NDArray[np.float64]:
    """Thresholds (K,) at which moving any single one of `labels` brings nothing more.

    Each step puts one label's threshold at its exact optimum given the others, by one sort of that label and
    a running sum over it. The target never falls, and there are finitely many cuts, so this ends; it ends in
    a local optimum.

    Args:
        probs: (N, K).
        gold: Masks (N, K).
        thresholds: (K,), where to start.
        labels: The labels whose thresholds may move.
        target: Samples or micro F1. (Macro F1 needs no ascent: its labels are independent.)
        never_empty: Whether a row that nothing passes gets its likeliest label.
    """
    state = _Sets(probs, gold, thresholds, never_empty)
    orders = {}
    for k in labels.tolist():
        # An unknown cell can only matter through the never-empty rule: whether its row is empty.
        rows = np.arange(len(probs)) if never_empty else np.flatnonzero(gold.known[:, k])
        orders[k] = rows[np.argsort(-probs[rows, k], kind="stable")]
    moved = True
    while moved:
        moved = False
        for k, order in orders.items():
            moved |= state.improve(k, order, target)
    return state.thresholds


class _Sets:
    """The label sets under the present thresholds, kept as counts a row."""

    def __init__(self, probs: FloatArray, gold: Gold, thresholds: npt.NDArray[np.float64], never_empty: bool) -> None:
        self.probs, self.gold, self.thresholds = probs, gold, thresholds.copy()
        self.never_empty = never_empty
        rows, best = np.arange(len(probs)), probs.argmax(axis=1)
        self.best = best
        self.best_known, self.best_positive = gold.known[rows, best], gold.positive[rows, best]
        self.wanted = gold.positive.sum(axis=1).astype(np.float64)
        passed = probs >= self.thresholds
        self.any = passed.sum(axis=1)
        self.claimed = (passed & gold.known).sum(axis=1)
        self.hits = (passed & gold.positive).sum(axis=1)

    def improve(self, k: int, order: npt.NDArray[np.int64], target: Target) -> bool:
        """Moves label k's threshold to its optimum; False where the present one is as good."""
        scores, known, positive = self.probs[:, k], self.gold.known[:, k], self.gold.positive[:, k]
        passes = scores >= self.thresholds[k]
        any_other = self.any - passes
        claimed, hits = self.claimed - (passes & known), self.hits - (passes & positive)
        filled = (any_other == 0) & self.never_empty
        out_claimed, out_hits = claimed + (filled & self.best_known), hits + (filled & self.best_positive)
        in_claimed, in_hits = claimed + known, hits + positive
        if target == "samples_f1":
            gain = f1(in_hits, self.wanted + in_claimed) - f1(out_hits, self.wanted + out_claimed)
            curve = np.cumsum(np.concatenate([[0.0], gain[order]]))
            curve /= len(curve)
        else:
            more_hits = np.cumsum(np.concatenate([[out_hits.sum()], (in_hits - out_hits)[order]]))
            more_claims = np.cumsum(np.concatenate([[out_claimed.sum()], (in_claimed - out_claimed)[order]]))
            curve = f1(more_hits.astype(np.float64), self.wanted.sum() + more_claims.astype(np.float64))
        falling = scores[order]
        places = np.concatenate([[0], np.flatnonzero(falling[1:] < falling[:-1]) + 1, [len(falling)]])
        at = curve[places]
        if curve[int(passes[order].sum())] >= at.max() - _TIE:
            return False
        place = int(places[np.argmax(at >= at.max() - _TIE)])
        lower = float(falling[place]) if place < len(falling) else 0.0
        self.thresholds[k] = between(lower, float(falling[place - 1])) if place else above(float(falling[0]))
        passes = scores >= self.thresholds[k]
        self.any = any_other + passes
        self.claimed, self.hits = claimed + (passes & known), hits + (passes & positive)
        return True

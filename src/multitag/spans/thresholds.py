"""Thresholds that are best for span F1: one for all labels, or one for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from multitag.spans.curve import Curve, add_up, best_cut, f1
from multitag.spans.units import Floats

Thresholds = Literal["global", "per_label"]
_ROUNDS = 20
_EDGE = 1e-6


def best_common(curves: Sequence[Curve]) -> tuple[float, float]:
    """The one threshold for all labels with the best span F1, and that score. Exact; the highest of equals."""
    whole = add_up(curves)
    scores = f1(whole.precise, whole.recalled, whole.given, whole.gold)
    return best_cut(whole.cuts, scores), float(scores.max())


def best_for_each(curves: Sequence[Curve], common: float, own: Sequence[int]) -> Floats:
    """Thresholds (K,) from the common one on, by coordinate ascent: each label in turn takes its exact optimum, the
    others kept, until none moves.

    Args:
        curves: K curves.
        common: Where to start.
        own: The labels that move.
    """
    thresholds = np.full(len(curves), common)
    gold = sum(curve.gold for curve in curves)
    sums = np.array([[part[0] for part in curve.at(np.array([common]))] for curve in curves])
    for _ in range(_ROUNDS):
        moved = False
        for k in own:
            curve = curves[k]
            rest = sums.sum(axis=0) - sums[k]
            scores = f1(rest[0] + curve.precise, rest[1] + curve.recalled, rest[2] + curve.given, gold)
            precise, recalled, given = sums.sum(axis=0)[:, None]
            now = f1(precise, recalled, given, gold)[0]
            if scores.max() > now + 1e-12:
                thresholds[k] = best_cut(curve.cuts, scores)
                sums[k] = [part[0] for part in curve.at(thresholds[k : k + 1])]
                moved = True
        if not moved:
            break
    return thresholds


def fitted(curves: Sequence[Curve], how: Thresholds, support: npt.NDArray[np.int64], strength: float) -> Floats:
    """Thresholds (K,): the best common one, or from it each label's own, drawn to it.

    Args:
        curves: K curves.
        how: One for all, or one for each.
        support: (K,), the labels' gold spans.
        strength: As of `shrunk`.
    """
    common, _ = best_common(curves)
    if how == "global":
        return np.full(len(curves), common)
    return shrunk(best_for_each(curves, common, range(len(curves))), common, support, strength)


def shrunk(own: Floats, common: float, support: npt.NDArray[np.int64], strength: float) -> Floats:
    """Thresholds drawn to the common one: logit t_k becomes (n_k logit t_k + c logit t) / (n_k + c)."""
    if strength == 0:
        return own
    logits = (_logit(own) * support + _logit(np.array(common)) * strength) / (support + strength)
    return np.asarray(1 / (1 + np.exp(-logits)))


def _logit(p: Floats) -> Floats:
    safe = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(safe / (1 - safe)))

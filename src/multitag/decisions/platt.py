"""A slope and an offset for each label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from multitag.decisions.calibration import Calibration, sigmoid
from multitag.decisions.checks import check_at_least, check_logits
from multitag.decisions.temperature import best_slope
from multitag.errors import DataError
from multitag.gold import Gold, check_gold
from multitag.saved_state import saved

_LEAST_SLOPE = 0.05
Floats = npt.NDArray[np.float64]


class PlattScaling(Calibration):
    """Gives each label its own slope and offset, drawn to one temperature: p_k = sigmoid(a_k z_k + b_k).

    Per label, logistic regression on u = z / T with a normal prior: cross-entropy of (1 + d) u + b summed
    over rows, plus shrinkage / 2 (d^2 + b^2). A label with few positives stays near the temperature, one with
    many goes its own way, and separable rows cannot drive it off. A label that no row has, or every row, stays at the
    temperature: rows of one kind cannot say how to tell two apart, and would only push the label away for good.
    Slopes stay positive. Source: Platt 1999; the prior is our own.

    Args:
        shrinkage: How strongly a label is drawn to the common temperature; 0 not at all.

    Attributes:
        slopes_: (K,), a.
        offsets_: (K,), b.
    """

    slopes_: Floats
    offsets_: Floats

    def __init__(self, *, shrinkage: float = 10.0) -> None:
        check_at_least("shrinkage", shrinkage, 1e-6)
        self.shrinkage = shrinkage

    def fit(self, logits: npt.ArrayLike, gold: npt.ArrayLike) -> Self:
        """Learns slopes and offsets; see `Calibration.fit`."""
        values = check_logits(logits)
        truth = check_gold(gold, values.shape)
        common = best_slope(values[truth.known], truth.positive[truth.known])
        scaled = common * np.clip(values, -1e4, 1e4)
        free = np.ones(values.shape[1], bool)
        slopes, offsets = _newton(scaled, truth, self.shrinkage, free)
        falling = slopes < _LEAST_SLOPE
        if falling.any():
            slopes, offsets = _newton(scaled, truth, self.shrinkage, ~falling)
        positives = (truth.known & truth.positive).sum(axis=0)
        told = (positives > 0) & (positives < truth.known.sum(axis=0))
        self.slopes_, self.offsets_ = common * np.where(told, slopes, 1.0), np.where(told, offsets, 0.0)
        return self

    def apply(self, logits: npt.ArrayLike) -> Floats:
        """The probabilities (N, K); see `Calibration.apply`."""
        self._check_fitted("slopes_")
        values = check_logits(logits)
        if values.shape[1] != len(self.slopes_):
            raise DataError(f"logits of {values.shape[1]} labels, but {len(self.slopes_)} were calibrated.")
        return sigmoid(self.slopes_ * values + self.offsets_)

    def line(self, labels: int) -> tuple[Floats, Floats]:
        """As they were fitted; see `Calibration.line`."""
        self._check_fitted("slopes_")
        return self.slopes_, self.offsets_

    def state(self) -> dict[str, Any]:
        """Slopes and offsets."""
        self._check_fitted("slopes_")
        return {"slopes": self.slopes_.tolist(), "offsets": self.offsets_.tolist()}

    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Takes over what `state` gave; see `Calibration.load_state`."""
        slopes, offsets = saved(state, "slopes"), saved(state, "offsets")
        self.slopes_, self.offsets_ = np.asarray(slopes, np.float64), np.asarray(offsets, np.float64)
        return self


def _newton(u: Floats, gold: Gold, shrinkage: float, free: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Slopes and offsets (K,) with the least penalised cross-entropy, for all labels at once.

    The loss is strictly convex, so Newton's method with halved steps where they overshoot finds its minimum.
    A label that is not `free` keeps the least slope allowed, and only its offset moves.
    """
    slope, offset = np.where(free, 1.0, _LEAST_SLOPE), np.zeros(u.shape[1])
    loss = _loss(u, gold, shrinkage, slope, offset)
    for _ in range(100):
        p = sigmoid(slope * u + offset)
        error = np.where(gold.known, p - gold.positive, 0.0)
        weight = np.where(gold.known, p * (1 - p), 0.0)
        by_slope = np.where(free, (error * u).sum(axis=0) + shrinkage * (slope - 1), 0.0)
        by_offset = error.sum(axis=0) + shrinkage * offset
        aa = (weight * u * u).sum(axis=0) + shrinkage
        ab = np.where(free, (weight * u).sum(axis=0), 0.0)
        bb = weight.sum(axis=0) + shrinkage
        scale = aa * bb - ab * ab
        slope_step = (bb * by_slope - ab * by_offset) / scale
        offset_step = (aa * by_offset - ab * by_slope) / scale
        share, slack = np.ones(len(slope)), 1e-12 * np.abs(loss)
        for _ in range(60):
            trial = _loss(u, gold, shrinkage, slope - share * slope_step, offset - share * offset_step)
            worse = trial > loss + slack
            if not worse.any():
                break
            share = np.where(worse, share / 2, share)
        share = np.where(worse, 0.0, share)
        slope, offset = slope - share * slope_step, offset - share * offset_step
        loss = np.where(worse, loss, trial)
        if (share * (np.abs(slope_step) + np.abs(offset_step)) <= 1e-12).all():
            break
    return slope, offset


def _loss(u: Floats, gold: Gold, shrinkage: float, slope: Floats, offset: Floats) -> Floats:
    z = slope * u + offset
    terms = np.where(gold.known, np.logaddexp(0.0, z) - gold.positive * z, 0.0)
    return np.asarray(terms.sum(axis=0) + shrinkage / 2 * ((slope - 1) ** 2 + offset**2))

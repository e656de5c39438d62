"""Probabilities joined by weights, p = sum_n lambda_n p_n, and the weights that suit known rows best."""

from __future__ import annotations

import numpy as np

from multitag.combiners.base import Floats
from multitag.gold import Gold

_FAR = 30.0
"""In fitting, no member is taken to be surer than this logit: a probability of 1e-13 still differs from 0."""
_GAP = 1e-6
_STEPS = 500


def mix(logits: Floats, weights: Floats) -> Floats:
    """The logits (N, K) of sum_n lambda_n sigmoid(z_n).

    In logarithms throughout, so that neither end of the scale is rounded away.

    Args:
        logits: (M, N, K).
        weights: (M, 1) or (M, K), not negative; those of a label sum to 1.
    """
    with np.errstate(divide="ignore"):  # a member of weight 0 is not there
        share = np.log(weights)[:, None, :]
    yes = np.logaddexp.reduce(share - np.logaddexp(0.0, -logits), axis=0)
    no = np.logaddexp.reduce(share - np.logaddexp(0.0, logits), axis=0)
    return np.asarray(yes - no)


def best_weights(logits: Floats, gold: Gold, *, per_label: bool) -> Floats:
    """The weights with the least cross-entropy on known cells: (M, 1), or (M, K) for each label alone.

    With q_n the probability that member n gives to what is true of a cell, the mean of log(sum_n lambda_n q_n) is
    concave in lambda. Expectation maximisation (Dempster, Laird, Rubin 1977, mixture weights) climbs it: lambda_n
    becomes the mean of lambda_n q_n / sum_m lambda_m q_m. It stops where no weights at all can be better by more than
    1e-6 nats a cell, which is what the greatest derivative says. A label without known cells keeps equal weights.

    Args:
        logits: (M, N, K).
        gold: Masks (N, K).
        per_label: Whether each label has weights of its own.
    """
    members = len(logits)
    near = np.clip(logits, -_FAR, _FAR)
    likelihood = np.exp(-np.logaddexp(0.0, np.where(gold.positive, -near, near)))
    axes = (1,) if per_label else (1, 2)
    known = gold.known.astype(np.float64)
    cells = known.sum(axis=0) if per_label else known.sum(keepdims=True)[0]
    weights = np.full((members, len(cells)), 1 / members)
    for _ in range(_STEPS):
        mixed = (weights[:, None, :] * likelihood).sum(axis=0)
        slope = (likelihood / mixed * known).sum(axis=axes).reshape(members, -1) / np.maximum(cells, 1)
        if (slope.max(axis=0) - 1 <= _GAP).all():
            break
        weights = np.where(cells > 0, weights * slope, weights)
        weights /= weights.sum(axis=0)
    return weights

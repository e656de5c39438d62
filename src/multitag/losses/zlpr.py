"""ZLPR, a ranking loss with a threshold at 0."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from multitag.losses.base import Labels, Loss


class ZLPR(Loss):
    """log(1 + sum over labels that are there of e^-z) + log(1 + sum over labels that are not of e^z) (Su et al. 2022).

    ZLPR, "zero-bounded log-sum-exp and pairwise rank-based": each label that is there should stand above 0, each that
    is not below, and the worst one counts most, so many easy negatives drown nothing. A mean over rows, or over tokens.
    A smoothed target y counts y in the first sum and 1 - y in the second (the authors' soft form).

    Args:
        smoothing: As of `Loss`.
    """

    unit: ClassVar[Literal["element", "row", "batch"]] = "row"

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape without the labels' dimension."""
        return _log_one_plus_sum(-logits, labels.soft, labels.known) + _log_one_plus_sum(
            logits, 1 - labels.soft, labels.known
        )


def _log_one_plus_sum(exponents: Tensor, weights: Tensor, known: Tensor) -> Tensor:
    """log(1 + sum over the known of weight e^exponent), over the last dimension."""
    weighed = torch.where(known, exponents + weights.log(), -torch.inf)
    # The 1 is a summand e^0, so never all are -inf, whose gradient would be NaN.
    one = torch.zeros_like(weighed[..., :1])
    return torch.cat([weighed, one], -1).logsumexp(-1)

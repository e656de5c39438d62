"""Logits of mixed probabilities, without ever leaving the logarithms."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


def mixture_logit(logits: Tensor, log_weights: Tensor) -> Tensor:
    """logit(sum_n w_n sigmoid(z_n)), exact where the probabilities themselves would round to 0 or 1.

    log p and log(1 - p) are each a log-sum-exp of log-sigmoids, and their difference is the logit.

    Args:
        logits: z (N, B, K) or (N, B, T, K).
        log_weights: log w (N,), of weights that sum to 1; -inf for a weight of 0.

    Returns:
        (B, K) or (B, T, K), in float32 at least: two large logarithms are subtracted.
    """
    z = logits.to(torch.promote_types(logits.dtype, torch.float32))
    log_weights = log_weights.view(-1, *[1] * (z.ndim - 1))
    return (log_weights + logsigmoid(z)).logsumexp(0) - (log_weights + logsigmoid(-z)).logsumexp(0)

"""Logits at every token, averaged, and for each label once more where it speaks loudest."""

from __future__ import annotations

from math import inf
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from multitag.heads.base import Head, Share, real_tokens
from multitag.layers import Dropout, masked_mean
from multitag.types import Encoded, Width

Temperature = Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["max"]


def attended(scores: Tensor, mask: Tensor, temperature: Temperature, /) -> Tensor:
    """Sum over tokens of softmax(T s) s, label by label; the maximum where T is ``"max"``.

    Args:
        scores: (B, T, K).
        mask: (B, T), True where a token is real; others get no weight.
        temperature: T. The larger, the more the highest scores count.

    Returns:
        (B, K).
    """
    hidden = ~mask.unsqueeze(-1)
    highest = scores.masked_fill(hidden, -inf).amax(1, keepdim=True)
    if temperature == "max":
        return highest.squeeze(1)
    # The highest is taken off first: T times a score may be more than a float holds.
    weights = ((scores - highest.detach()) * temperature).masked_fill(hidden, -inf).softmax(1)
    return (weights * scores).sum(1)


class ResidualAttention(Head):
    """z = sum over heads of mean(s) + lam * sum of softmax(T s) s, s the head's logits at each token, + b (CSRA).

    Class-specific residual attention (Zhu & Wu 2021, arXiv 2108.02456). To the average over all places it adds, for
    each label, the places where that label shows, so that small things are not averaged away. Each head has a linear
    map and a temperature T of its own. Padding gets no weight.

    The authors' heads: temperatures [1], [1, "max"], [1, 2, 4, "max"], and 1, 2, 3, ... with "max" last for 6 and 8
    heads. Their settings: one head and lam .1 on VOC 2007, six and lam .5 on MS-COCO. The bias b is ours: standardised
    tokens have mean 0, and no direction that could stand for it.

    Args:
        lam: Weight of the attended sum beside the mean.
        temperatures: A head for each: its T, or ``"max"``, an infinite one.
        weights: ``"free"``, or ``"unit"``: each label's weights in each head are divided by their length, as the
            authors do. Their features adapt in scale; those of frozen encoders cannot.
        pooled: ``"added"`` adds W x for the pooled vector x, where that holds more than the tokens' mean, such as
            CLIP's; ``"ignored"`` leaves it out.
        dropout: Share of the inputs dropped while training.

    Raises:
        ConfigError: The branch has no tokens.
    """

    needs = "tokens"

    def __init__(
        self,
        width: Width,
        labels: int,
        /,
        *,
        lam: Annotated[float, Field(ge=0)] = 0.5,
        temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1)] = (1.0,),
        weights: Literal["free", "unit"] = "free",
        pooled: Literal["ignored", "added"] = "ignored",
        dropout: Share = 0.0,
    ) -> None:
        super().__init__(width, labels)
        self.lam, self.temperatures, self.unit = lam, temperatures, weights == "unit"
        self.dropout = Dropout(dropout)
        self.scores = nn.Linear(width.tokens or 0, len(temperatures) * labels, bias=False)
        self.pooled = nn.Linear(width.pooled, labels, bias=False) if pooled == "added" else None
        self.bias = nn.Parameter(torch.zeros(labels))

    def forward(self, encoded: Encoded) -> Tensor:
        """Tokens (B, T, D') to (B, K)."""
        tokens, mask = real_tokens(encoded)
        weight = normalize(self.scores.weight, dim=1) if self.unit else self.scores.weight
        # In full precision, whatever the map ran in: these are sums over many tokens.
        scores = linear(self.dropout(tokens), weight).float()
        logits: Tensor = self.bias
        for head, temperature in zip(scores.chunk(len(self.temperatures), dim=-1), self.temperatures, strict=True):
            logits = logits + masked_mean(head, mask) + self.lam * attended(head, mask, temperature)
        return logits if self.pooled is None else logits + self.pooled(self.dropout(encoded.pooled))

"""Cross-attention: the text looks at the places of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from multitag.fusions.base import Fusion
from multitag.fusions.checks import real_tokens, require_encoder, require_several, token_widths
from multitag.layers import masked_mean
from multitag.types import Encoded, Width


class CrossAttention(Fusion):
    """z = H(LN(softmax(Q K' / sqrt(d)) V + W_r t)), Q = W_q t: the text t looks at the picture's tokens, residual kept.

    Liu et al. (2025, arXiv 2501.01611). K and V are two linear maps of the picture's tokens; LN is a layer
    normalisation; the feed-forward network of the source is the head (mlp). With more than two encoders the one that
    asks looks at the tokens of all others together.

    Args:
        size: d, the size of queries, keys, values and of what comes out.
        query: The name of the encoder that asks.
        asks: ``"vector"``: its pooled vector asks, as in the formula. ``"tokens"``: each of its tokens does, and they
            are handed on to heads that read tokens; the pooled vector is their mean.

    Raises:
        ConfigError: There is one encoder only, none of the name `query`, or one has no tokens.
    """

    needs = "tokens"

    def __init__(
        self,
        widths: Mapping[str, Width],
        /,
        *,
        size: Annotated[int, Field(ge=1)] = 256,
        query: str = "text",
        asks: Literal["vector", "tokens"] = "vector",
    ) -> None:
        super().__init__(widths)
        require_several("cross_attention", widths)
        require_encoder("cross_attention", "query", query, widths)
        self.query, self.asks = query, asks
        others = token_widths("cross_attention", widths)
        own = others.pop(query)
        asking = widths[query].pooled if asks == "vector" else own
        self.ask = nn.Linear(asking, size)
        # An offset of the keys would move all scores of a query alike, and change nothing.
        self.keys = nn.ModuleDict({name: nn.Linear(width, size, bias=False) for name, width in others.items()})
        self.values = nn.ModuleDict({name: nn.Linear(width, size) for name, width in others.items()})
        self.residual = nn.Linear(asking, size)
        self.norm = nn.LayerNorm(size)
        self.branches = {"cross": Width(size, size if asks == "tokens" else None)}

    def source(self, branch: str) -> str | None:
        """The encoder that asks, where its tokens do."""
        return self.query if self.asks == "tokens" else None

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """pooled (B, size), and tokens (B, T, size) where each token asks."""
        read = {name: real_tokens(encoded[name]) for name in self.keys}
        keys = torch.cat([self.keys[name](tokens) for name, (tokens, _) in read.items()], 1)
        values = torch.cat([self.values[name](tokens) for name, (tokens, _) in read.items()], 1)
        mask = torch.cat([mask for _, mask in read.values()], 1)
        own = encoded[self.query]
        asking = own.pooled.unsqueeze(1) if self.asks == "vector" else real_tokens(own)[0]
        seen = scaled_dot_product_attention(self.ask(asking), keys, values, attn_mask=mask.unsqueeze(1))
        out = self.norm(seen + self.residual(asking))
        if self.asks == "vector":
            return {"cross": Encoded(out[:, 0])}
        asked = real_tokens(own)[1]
        return {"cross": Encoded(masked_mean(out, asked), out, asked)}

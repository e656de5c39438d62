"""One layer of a transformer's decoder: queries look at tokens."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from multitag.layers import Dropout


class Attention(nn.Module):
    """softmax(q k' / sqrt(d / heads)) v in each head, the heads joined and mixed (Vaswani et al. 2017).

    Torch's own module fails on a batch of no rows.

    Args:
        dim: d, the size of queries and memory.
        heads: Number of heads.
        dropout: Share of the attention's weights dropped while training.
    """

    def __init__(self, dim: int, heads: int, dropout: float, /) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.ask = nn.Linear(dim, dim)
        self.answer = nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Queries (B, Q, d), memory (B, T, d), mask (B, T), True where it may be looked at, to (B, Q, d)."""
        asked = self._split(self.ask(queries))
        keys, values = (self._split(part) for part in self.answer(memory).chunk(2, dim=-1))
        allowed = None if mask is None else mask[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        seen = scaled_dot_product_attention(asked, keys, values, attn_mask=allowed, dropout_p=dropout)
        result: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return result

    def _split(self, x: Tensor) -> Tensor:
        """(B, T, d) to (B, heads, T, d / heads)."""
        return x.view(*x.shape[:2], self.heads, x.shape[-1] // self.heads).transpose(1, 2)


class QueryDecoder(nn.Module):
    """Q = LN(Q + attention(Q, tokens)), then Q = LN(Q + FFN(Q)) (Vaswani et al. 2017); FFN: Linear, ReLU, Linear.

    Args:
        dim: Size of queries and tokens.
        heads: Number of attention heads.
        feedforward: Size inside the FFN.
        dropout: Share of what each part adds, of the FFN's units and of attention weights dropped while training.
        self_attention: Whether the queries attend to each other first, Q = LN(Q + attention(Q, Q)).
    """

    def __init__(self, dim: int, heads: int, feedforward: int, dropout: float, self_attention: bool, /) -> None:
        super().__init__()
        self.among = Attention(dim, heads, dropout) if self_attention else None
        self.among_norm = nn.LayerNorm(dim) if self_attention else None
        self.attention = Attention(dim, heads, dropout)
        self.attention_norm = nn.LayerNorm(dim)
        self.feedforward = nn.Sequential(
            nn.Linear(dim, feedforward), nn.ReLU(), Dropout(dropout), nn.Linear(feedforward, dim)
        )
        self.feedforward_norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(self, queries: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """Queries (B, Q, d), tokens (B, T, d), mask (B, T), True where real, to (B, Q, d)."""
        if self.among is not None and self.among_norm is not None:
            queries = self.among_norm(queries + self.dropout(self.among(queries, queries)))
        queries = self.attention_norm(queries + self.dropout(self.attention(queries, tokens, mask)))
        result: Tensor = self.feedforward_norm(queries + self.dropout(self.feedforward(queries)))
        return result

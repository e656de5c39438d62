"""Queries, one for each label or group of labels, that look at the tokens."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import pad

from multitag.errors import ConfigError
from multitag.heads.base import Head, Share, real_tokens
from multitag.heads.mlp import MLP
from multitag.heads.query_decoder import QueryDecoder
from multitag.types import Encoded, Width


class LabelQueries(Head):
    """Queries attend to the branch's tokens, and each gives the logits of its labels (Query2Label, ML-Decoder).

    With at least as many groups as labels, every label has a query of its own, as in Query2Label (Liu et al. 2021,
    arXiv 2107.10834). With fewer, neighbouring labels share a query, as in ML-Decoder (Ridnik et al. 2021, arXiv
    2111.12933): time and memory of the attention then grow with the groups and not with the labels. What a query has
    seen becomes the logits of its labels by a linear layer of the group's own. Tokens pass Linear and ReLU first; they
    get no position beside what the encoder gave them.

    ML-Decoder's own settings: dim 768, heads 8, layers 1, feedforward 2048, dropout .1, 100 groups, random queries.
    Query2Label's: dim 2048, heads 4, layers 2, feedforward 8192, dropout .1, learned queries, with self-attention in
    the paper and without in its code; its encoder layer over the grid before that is left out here.

    Args:
        groups: The most queries there are. Labels are shared out evenly among them.
        queries: ``"learned"``, or ``"random"``: drawn once and kept as they are.
        self_attention: Whether queries look at each other first in each layer; its cost grows with groups squared.
        dim: Size of tokens and queries inside.
        heads: Number of attention heads; `dim` is a multiple of it.
        layers: Number of decoder layers.
        feedforward: Size inside each layer's feed-forward part.
        dropout: Share of units, and of attention weights, dropped while training.
        pooled: ``"added"`` adds what the head `mlp`, with its own defaults, makes of the pooled vector: that speaks for
            the whole of a row, and the queries for small things in it. ``"ignored"`` leaves it out.

    Raises:
        ConfigError: `dim` is not a multiple of `heads`, or the branch has no tokens.
    """

    needs = "tokens"
    queries: Tensor

    def __init__(
        self,
        width: Width,
        labels: int,
        /,
        *,
        groups: Annotated[int, Field(ge=1)] = 100,
        queries: Literal["learned", "random"] = "learned",
        self_attention: bool = False,
        dim: Annotated[int, Field(ge=1)] = 256,
        heads: Annotated[int, Field(ge=1)] = 8,
        layers: Annotated[int, Field(ge=1)] = 1,
        feedforward: Annotated[int, Field(ge=1)] = 1024,
        dropout: Share = 0.1,
        pooled: Literal["ignored", "added"] = "ignored",
    ) -> None:
        super().__init__(width, labels)
        if dim % heads:
            raise ConfigError(
                f"head 'label_queries', dim = {dim} is not a multiple of heads = {heads}. "
                f"Fix: set dim to {ceil(dim / heads) * heads}, or change heads"
            )
        self.share = ceil(labels / groups)
        # Not `groups`: 5 labels in 4 groups are 2 a group, and a fourth group would have none.
        self.groups = ceil(labels / self.share)
        drawn = torch.randn(self.groups, dim)
        if queries == "learned":
            self.queries = nn.Parameter(drawn)
        else:
            self.register_buffer("queries", drawn)
        self.embed = nn.Sequential(nn.Linear(width.tokens or 0, dim), nn.ReLU())
        self.decoder = nn.ModuleList(
            QueryDecoder(dim, heads, feedforward, dropout, self_attention) for _ in range(layers)
        )
        # Holds the weights and the first values of K linear layers, each over its group's query.
        self.out = nn.Linear(dim, labels)
        self.pooled = MLP(width, labels) if pooled == "added" else None

    def forward(self, encoded: Encoded) -> Tensor:
        """Tokens (B, T, D') to (B, K)."""
        tokens, mask = real_tokens(encoded)
        memory = self.embed(tokens)
        seen = self.queries.expand(len(memory), -1, -1)
        for layer in self.decoder:
            seen = layer(seen, memory, mask)
        # The last group may be short of labels: empty places are filled, and cut off again.
        weight = pad(self.out.weight, (0, 0, 0, self.groups * self.share - self.labels))
        logits = torch.einsum("bgd,gsd->bgs", seen, weight.view(self.groups, self.share, -1))
        logits = logits.flatten(1)[:, : self.labels] + self.out.bias
        return logits if self.pooled is None else logits + self.pooled(encoded)

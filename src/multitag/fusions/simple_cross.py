"""Late fusion and cross-attention together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from multitag.errors import ConfigError
from multitag.fusions.base import Fusion
from multitag.fusions.checks import require_encoder, require_several, token_widths
from multitag.fusions.cross_attention import CrossAttention
from multitag.types import Encoded, Width

CROSS = "cross"


class SimpleCross(Fusion):
    """z = H_v(x_v) + H_t(x_t) + H_c(h): a head for each encoder, and one over the cross-attention h of text to picture.

    Liu et al. (2025, arXiv 2501.01611) have a simple and a cross-attention pathway, and do not say how they meet: here
    their logits are added. h is as in `cross_attention`.

    Args:
        size: The size of the cross-attention's queries, keys, values and output.
        query: The name of the encoder that asks.
        asks: ``"vector"``: its pooled vector asks. ``"tokens"``: each of its tokens does, and they are handed on to
            heads that read tokens; the pooled vector is their mean.

    Raises:
        ConfigError: There is one encoder only, none of the name `query`, one of the name 'cross', or one has no tokens.
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
        # Asked here too, so that the errors name this fusion.
        require_several("simple_cross", widths)
        require_encoder("simple_cross", "query", query, widths)
        token_widths("simple_cross", widths)
        if CROSS in widths:
            raise ConfigError(f"fusion 'simple_cross' keeps the name '{CROSS}' for itself: call the encoder otherwise")
        self.cross = CrossAttention(widths, size=size, query=query, asks=asks)
        self.branches = {**widths, **self.cross.branches}

    def source(self, branch: str) -> str | None:
        """The encoder of the branch's name, or the one whose tokens ask."""
        return self.cross.source(branch) if branch == CROSS else super().source(branch)

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """What each encoder gives, and the cross-attention."""
        return {**{name: encoded[name] for name in self.widths}, **self.cross(encoded)}

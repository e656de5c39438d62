"""A fusion laid on the tokens of one encoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.fusions.base import Fusion
from multitag.fusions.checks import real_tokens
from multitag.layers import masked_mean
from multitag.types import Encoded, Width


class OnTokens(Fusion):
    """Any fusion, so that each token of one encoder is seen beside what the others say of the row.

    A fusion of pooled vectors takes each token x_t for the encoder's vector: with `concat`, what the head sees of a
    token is [x_v; x_t]; with `sum`, z_t = H_t(x_t) + H_v(x_v). Of a fusion that reads tokens, a branch that hands on
    the encoder's tokens stays as it is, and what any other branch says of the row is the same for each token.

    Args:
        widths: How wide what each encoder gives is, by the encoder's name.
        name: The fusion's name.
        options: Its options.
        of: The encoder whose tokens are wanted.

    Attributes:
        fusion: The fusion.

    Raises:
        ConfigError: An option is not valid, or the fusion reads tokens and hands none of the encoder's on.
    """

    def __init__(self, widths: Mapping[str, Width], name: str, options: Mapping[str, Any], of: str, /) -> None:
        super().__init__(widths)
        self.of = of
        self._laid = FUSIONS.get(name).needs == "pooled"
        given = dict(widths)
        if self._laid:
            given = {other: Width(width.pooled) for other, width in widths.items()}
            given[of] = Width(widths[of].tokens or 0)
        self.fusion: Fusion = FUSIONS.build(name, options, given)
        handed = {branch for branch in self.fusion.branches if self.fusion.source(branch) == of}
        if not self._laid and not handed:
            raise ConfigError(
                f"fusion '{name}' does not hand on the tokens of '{of}', and an answer is wanted for each of them. "
                f"Fix: --set fusion.asks=tokens --set fusion.query={of}, or another fusion"
            )
        self.branches = {
            branch: width if branch in handed else Width(width.pooled, width.pooled, width.parts)
            for branch, width in self.fusion.branches.items()
        }
        self._handed = handed

    def source(self, branch: str) -> str | None:
        """The encoder whose tokens every branch hands on."""
        return self.of

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """For each branch: tokens (B, T, D') and the encoder's mask; pooled (B, D), where the fusion fuses tokens as if
        they were pooled vectors the mean of what it makes of them."""
        tokens, mask = real_tokens(encoded[self.of])
        if not self._laid:
            return {
                branch: each if branch in self._handed else _everywhere(each.pooled, mask)
                for branch, each in self.fusion(encoded).items()
            }
        row = mask.nonzero()[:, 0]
        laid = {name: Encoded(tokens[mask] if name == self.of else each.pooled[row]) for name, each in encoded.items()}
        return {branch: _in_place(each.pooled, mask) for branch, each in self.fusion(laid).items()}

    def combine(self, logits: Mapping[str, Tensor]) -> Tensor:
        """As the fusion does."""
        return self.fusion.combine(logits)


def _everywhere(pooled: Tensor, mask: Tensor) -> Encoded:
    """The same vector (B, D) for each token."""
    return Encoded(pooled, pooled.unsqueeze(1).expand(-1, mask.shape[1], -1), mask)


def _in_place(vectors: Tensor, mask: Tensor) -> Encoded:
    """Vectors (M, D) of the real tokens where these stand, 0 at padding."""
    tokens = vectors.new_zeros(*mask.shape, vectors.shape[-1])
    tokens[mask] = vectors
    return Encoded(masked_mean(tokens, mask), tokens, mask)

"""A head that reads one vector, laid on every token."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, nn

from multitag.heads.base import Head, real_tokens
from multitag.types import Encoded


class Tokenwise(nn.Module):
    """z_t = H(x_t): any head over pooled vectors, with the same weights for each token.

    Padding does not reach the head, so that batch normalisation and random draws do not depend on it.

    Args:
        head: Built for vectors of a token's size.
    """

    needs: ClassVar[Literal["tokens"]] = "tokens"

    def __init__(self, head: Head, /) -> None:
        super().__init__()
        self.head = head

    def forward(self, encoded: Encoded) -> Tensor:
        """Tokens (B, T, D') to (B, T, K); 0 at padding."""
        tokens, mask = real_tokens(encoded)
        real: Tensor = self.head(Encoded(tokens[mask]))
        logits = real.new_zeros(*mask.shape, real.shape[-1])
        logits[mask] = real
        return logits

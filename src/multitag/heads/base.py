"""What every head is: an `Encoded` in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from multitag.errors import ConfigError
from multitag.types import Encoded, Width

Share = Annotated[float, Field(ge=0, lt=1)]
"""Of dropout: none of it up to, not including, all."""


class Head(nn.Module, ABC):
    """Base of all heads.

    Args:
        width: How wide what the branch gives is.
        labels: K, the number of labels.

    Attributes:
        needs: Whether the head reads the pooled vector alone, or tokens too.
        reads_names: Whether it is a `NamedHead`.

    Raises:
        ConfigError: The head reads tokens, and the branch gives none.
    """

    needs: ClassVar[Literal["pooled", "tokens"]] = "pooled"
    reads_names: ClassVar[bool] = False

    def __init__(self, width: Width, labels: int, /) -> None:
        super().__init__()
        if self.needs == "tokens" and width.tokens is None:
            raise ConfigError(
                f"head {type(self).__name__} reads tokens, and the fusion hands none on. "
                f"Fix: a fusion that does (single, sum, concat, mixed), or another head"
            )
        self.width = width
        self.labels = labels

    @abstractmethod
    def forward(self, encoded: Encoded) -> Tensor:
        """Logits (B, K)."""


class NamedHead(Head):
    """A head that is told, before it is trained, what the encoder of texts says of the labels' names."""

    reads_names = True

    @abstractmethod
    def phrase(self, name: str) -> str:
        """What the encoder reads of a label."""

    @abstractmethod
    def take_names(self, vectors: Tensor) -> None:
        """Take what the encoder says of the labels' names (K, D), standardised; 0 of a name without a word."""


def real_tokens(encoded: Encoded) -> tuple[Tensor, Tensor]:
    """The tokens (B, T, D') and their mask (B, T), for a head that needs them.

    Raises:
        ConfigError: There are none, though the branch's width said that there would be.
    """
    if encoded.tokens is None or encoded.mask is None:
        raise ConfigError("the head reads tokens, and got none. Fix: feed the model with tokens")
    return encoded.tokens, encoded.mask

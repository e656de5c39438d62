"""What every head is: an `Encoded` in, logits out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import Tensor, nn

from multitag.errors import ConfigError
from multitag.types import Encoded, Width


class Head(nn.Module, ABC):
    """Base of all heads.

    Args:
        width: How wide what the branch gives is.
        labels: K, the number of labels.

    Attributes:
        needs: Whether the head reads the pooled vector alone, or tokens too.

    Raises:
        ConfigError: The head reads tokens, and the branch gives none.
    """

    needs: ClassVar[Literal["pooled", "tokens"]] = "pooled"

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

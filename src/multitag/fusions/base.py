"""What every fusion is: several `Encoded` in, one or more branches out, and how the branches' logits become one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from multitag.errors import ConfigError
from multitag.types import Encoded, Width

Needs = Literal["pooled", "tokens"]


class Fusion(nn.Module, ABC):
    """Base of all fusions.

    An early fusion has one branch, a late fusion one branch an encoder. Each branch gets a head of its own, and
    `combine` turns the heads' logits into the model's: that is how concat, sum and mixed share every kind of head.

    Args:
        widths: How wide what each encoder gives is, by the encoder's name, in the model's order. Their `tokens` is
            `None` where neither the fusion nor the head reads tokens: then none are computed, and none come.

    Attributes:
        needs: Whether the fusion reads pooled vectors or tokens.
        branches: How wide what each branch's head sees is, by the branch's name. A branch whose width has `tokens`
            hands tokens on.
    """

    needs: ClassVar[Needs] = "pooled"
    branches: dict[str, Width]

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__()
        if not widths:
            raise ConfigError(f"fusion {type(self).__name__} needs at least one encoder")
        self.widths = dict(widths)

    @abstractmethod
    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """What each branch's head sees, by the branch's name."""

    def source(self, branch: str) -> str | None:
        """The encoder whose tokens a branch hands on, each in its place; `None` where there are none, or others'."""
        return branch if branch in self.widths and self.branches[branch].tokens is not None else None

    def combine(self, logits: Mapping[str, Tensor]) -> Tensor:
        """The model's logits from the branches': their sum."""
        return torch.stack([logits[branch] for branch in self.branches]).sum(0)

"""Labels known by their names."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from multitag.errors import ConfigError
from multitag.heads.base import NamedHead, Share
from multitag.layers import Dropout
from multitag.types import Encoded, Width


class LabelNames(NamedHead):
    """z_k = (s n_k / sqrt(D) + w_k) x + b_k: n_k is what the encoder of texts says of the label's name.

    How alike a text and a label's name are is how models such as CLIP (Radford et al. 2021, arXiv 2103.00020) label
    without any training. Here both are standardised as the texts of the training rows are, s is learned and shared by
    all labels, and w_k, which starts at 0, is what the rows teach beyond the names. A label that few rows have keeps
    what its name says.

    It needs one frozen encoder of texts alone, and the fusion ``"single"``. The names' vectors are kept with the
    weights.

    Args:
        template: What a name is read as; ``"{}"`` is the name itself, with spaces for underscores.
        dropout: Share of the inputs dropped while training.

    Raises:
        ConfigError: The template has no place for the name, or several.
    """

    names: Tensor

    def __init__(
        self,
        width: Width,
        labels: int,
        /,
        *,
        template: str = "{}",
        dropout: Share = 0.5,
    ) -> None:
        super().__init__(width, labels)
        if template.count("{}") != 1:
            raise ConfigError(
                f"option 'template' = '{template}': it must have {{}} once, where a label's name goes. "
                f"Accepted: for example 'a picture of {{}}'"
            )
        self.template = template
        self.dropout = Dropout(dropout)
        self.register_buffer("names", torch.zeros(labels, width.pooled))
        self.scale = nn.Parameter(torch.tensor(0.5))
        self.weight = nn.Parameter(torch.zeros(labels, width.pooled))
        self.bias = nn.Parameter(torch.zeros(labels))

    def phrase(self, name: str) -> str:
        """The template with the name in it."""
        return self.template.replace("{}", name.replace("_", " "))

    @torch.no_grad()
    def take_names(self, vectors: Tensor) -> None:
        """Keep the names' vectors; see `NamedHead.take_names`."""
        self.names.copy_(vectors / self.width.pooled**0.5)

    def forward(self, encoded: Encoded) -> Tensor:
        """(B, D) to (B, K)."""
        weight = self.scale * self.names + self.weight
        return nn.functional.linear(self.dropout(encoded.pooled), weight, self.bias)

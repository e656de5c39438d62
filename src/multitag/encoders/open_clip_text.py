"""Text towers of the open_clip library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from multitag.encoders import open_clip_towers as towers
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.extras import imported
from multitag.types import Encoded, Modality


class OpenClipText(Encoder):
    """The text tower of a CLIP model of open_clip (Cherti et al. 2023), by name or local folder.

    The pooled vector is the projected embedding; tokens are the last states up to the end of the text. Texts are cut
    at the model's length.

    Args:
        model: open_clip's name of the architecture, ``"hf-hub:owner/name"``, or a local folder.
        pretrained: The tag of the weights, for a plain name.

    Raises:
        WeightsError: The weights cannot be had.
    """

    modality: ClassVar[Modality] = "text"

    def __init__(self, *, model: str = "ViT-B-32", pretrained: str = "laion2b_s34b_b79k") -> None:
        super().__init__()
        imported("open_clip")
        self.model, self.pretrained = model, pretrained

    def load(self) -> None:
        """Load the weights and the tokenizer."""
        net, config = towers.load_tower(self.model, self.pretrained, "text")
        self._take(net, config, towers.model_name(self.model))

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the tower; the weights come with the run's model, the tokenizer by its name."""
        self._take(towers.build_tower(assets["config"], "text"), assets["config"], assets["tokenizer"])

    def assets(self) -> dict[str, Any]:
        """The model's configuration, and the name of its tokenizer."""
        return {"config": self.config, "tokenizer": self.tokenizer_name}

    def _take(self, net: nn.Module, config: dict[str, Any], tokenizer: str) -> None:
        self.net, self.config, self.tokenizer_name = net.eval(), config, tokenizer
        self.tokenizer = imported("open_clip").get_tokenizer(tokenizer)
        with torch.no_grad():
            encoded = self(self.prepare(["a"]), tokens=True)
        self.width = encoded.pooled.shape[-1]
        self.token_width = None if encoded.tokens is None else encoded.tokens.shape[-1]

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the configuration, and what the tokenizer makes of a text."""
        sample = self.prepare(["The quick brown fox, 123!"])["ids"].tolist()
        return {"weights": weights_hash(self.net), "config": self.config, "tokenizer": sample}

    def sort_key(self, item: str) -> int:
        """The length: texts of like length stand together."""
        return len(item)

    def prepare(self, items: Sequence[str]) -> Inputs:
        """Token ids (B, T), T the model's own length."""
        return {"ids": self.tokenizer(list(items))}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, T, D') with a mask that leaves padding out."""
        ids = inputs["ids"]
        pooled, states = towers.output_of(self.net, ids)
        if not tokens or states is None:
            return Encoded(pooled)
        # Padding is 0; within a text the id 0 is a word's piece.
        mask = (ids != 0).flip(1).cummax(1).values.flip(1)
        mask[:, 0] = True
        return Encoded(pooled, states, mask[:, : states.shape[1]])

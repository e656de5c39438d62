"""The lower part of an EfficientNet-Lite whose upper part trains: run once for each picture, its map stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from multitag.encoders import efficientnet_net as parts
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.resizing import Resize, square_pixels
from multitag.types import Encoded, Modality


class EfficientNetLower(Encoder):
    """The stem and the first blocks of an EfficientNet-Lite.

    Tokens are the places of the map after the last of these blocks, row by row. The pooled vector is that map's mean,
    then mean and maximum of the map of each deep stage that ends in this part: the upper part cannot see these.
    It does not depend on what the upper part pools, so models that differ there share what is stored.

    Args:
        variant: Of the network.
        size: Side of the square in pixels.
        resize: How a picture becomes a square.
        blocks: How many blocks are of this part, 1 at least.

    Raises:
        WeightsError: The `offline` extra is not installed, or its files are not those we pinned.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(self, variant: parts.Variant, size: int, resize: Resize, blocks: int) -> None:
        super().__init__()
        self.variant, self.size, self.resize, self.blocks = variant, size, resize, blocks
        self._unfolded: str | None = None

    def load(self) -> None:
        """Build the part and load its packaged weights."""
        self._take(parts.pretrained(self.variant, self.size))

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the part; nobody keeps its weights in a run, but they can be given."""
        self._take(parts.build(self.variant, self.size))

    def assets(self) -> dict[str, Any]:
        """Nothing: the options say all."""
        return {}

    def _take(self, net: Any) -> None:
        after = parts.channels(net)
        self.taps = [end for end in parts.deep_ends(net) if end < self.blocks]
        self.token_width = after[self.blocks - 1]
        self.width = self.token_width + 2 * sum(after[tap] for tap in self.taps)
        parts.keep_below(net, self.blocks)
        self.net = net

    def optimize(self) -> None:
        """Fold batch normalisation into the convolutions, channels last."""
        self._unfolded = weights_hash(self.net)
        parts.fold(self.net)

    def identity(self) -> dict[str, Any]:
        """The hash of this part's weights, its length, the size and the resizing."""
        weights = self._unfolded or weights_hash(self.net)
        return {"weights": weights, "size": self.size, "resize": self.resize, "blocks": self.blocks}

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixels (B, 3, S, S), channels last in memory."""
        return {"pixels": square_pixels(items, self.size, self.resize)}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, H * W, C) with a mask of all True."""
        whole = parts.BLOCKS[self.variant]
        x, taps = parts.run_blocks(self.net, parts.stem(self.net, inputs["pixels"]), self.taps, of=whole)
        pooled = [x.mean((2, 3))]
        for tap in self.taps:
            pooled += [taps[tap].mean((2, 3)), taps[tap].amax((2, 3))]
        if not tokens:
            return Encoded(torch.cat(pooled, dim=1))
        places = x.flatten(2).transpose(1, 2)
        mask = torch.ones(places.shape[:2], dtype=torch.bool, device=places.device)
        return Encoded(torch.cat(pooled, dim=1), places, mask)

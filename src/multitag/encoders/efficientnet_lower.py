"""The lower part of an EfficientNet-Lite whose upper part trains: run once for each picture, its map stored."""

from __future__ import annotations

from typing import Any

import torch

from multitag.encoders import efficientnet_net as parts
from multitag.encoders.base import Inputs
from multitag.encoders.efficientnet_packaged import PackagedEfficientNet
from multitag.encoders.resizing import Resize
from multitag.types import Encoded


class EfficientNetLower(PackagedEfficientNet):
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

    def __init__(self, variant: parts.Variant, size: int, resize: Resize, blocks: int) -> None:
        super().__init__(variant, size, resize)
        self.blocks = blocks

    def _take(self, net: Any) -> None:
        after = parts.channels(net)
        self.taps = [end for end in parts.deep_ends(net) if end < self.blocks]
        self.token_width = after[self.blocks - 1]
        self.width = self.token_width + 2 * sum(after[tap] for tap in self.taps)
        parts.keep_below(net, self.blocks)
        self.net = net

    def identity(self) -> dict[str, Any]:
        """The hash of this part's weights, its length, the size and the resizing."""
        return {"weights": self.weights, "size": self.size, "resize": self.resize, "blocks": self.blocks}

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

"""A small convolutional network, trained from scratch with the model: pictures without pretrained weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.resizing import Resize, square_pixels
from multitag.types import Encoded, Modality

GROUPS = 8


class Cnn(Encoder):
    """A plain convolutional network in the manner of VGG (Simonyan & Zisserman 2015), small.

    Each stage is a 3 x 3 convolution, group normalisation (Wu & He 2018: a row's numbers do not depend on its
    batch), ReLU and 2 x 2 maximum pooling, with twice the channels of the stage before. The pooled vector is the mean
    of the last map, tokens are its places, row by row (8 x 8 by default). Pixels are scaled to -1..1. It has no
    pretrained weights: it trains with the model (``frozen = false``).

    Args:
        channels: Of the first stage.
        stages: How many.
        size: Side of the square in pixels.
        resize: How a picture becomes a square: ``"stretch"``, ``"crop"`` to the middle, or ``"pad"`` with grey.
    """

    modality: ClassVar[Modality] = "image"
    storable: ClassVar[bool] = False
    standardized: ClassVar[bool] = False
    from_scratch: bool = True

    def __init__(
        self,
        *,
        channels: Annotated[int, Field(ge=1, le=512)] = 32,
        stages: Annotated[int, Field(ge=1, le=5)] = 4,
        size: Annotated[int, Field(ge=32, le=1024)] = 128,
        resize: Resize = "stretch",
    ) -> None:
        super().__init__()
        self.channels, self.stages = channels, stages
        self.size: int = size
        self.resize: Resize = resize
        self.width = self.token_width = channels * 2 ** (stages - 1)

    def load(self) -> None:
        """Build the network with random weights."""
        parts: list[nn.Module] = []
        before = 3
        for stage in range(self.stages):
            width = self.channels * 2**stage
            parts += [
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.GroupNorm(1 if width % GROUPS else GROUPS, width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            before = width
        self.net = nn.Sequential(*parts)

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network; the weights come with the run's model."""
        self.load()

    def assets(self) -> dict[str, Any]:
        """Nothing: the options say all."""
        return {}

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the size and the resizing."""
        return {"weights": weights_hash(self.net), "size": self.size, "resize": self.resize}

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixels (B, 3, S, S), channels last in memory."""
        return {"pixels": square_pixels(items, self.size, self.resize)}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, H * W, D) with a mask of all True."""
        grid: Tensor = self.net(inputs["pixels"].float() / 127.5 - 1.0)
        places = grid.flatten(2).transpose(1, 2)
        if not tokens:
            return Encoded(places.mean(1))
        return Encoded(places.mean(1), places, torch.ones(places.shape[:2], dtype=torch.bool, device=places.device))

"""What a whole EfficientNet-Lite and its lower part share: where weights come from, and what they read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from PIL import Image
from torch import nn

from multitag.encoders import efficientnet_net as parts
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.resizing import Resize, square_pixels
from multitag.types import Modality


class PackagedEfficientNet(Encoder):
    """Base of encoders that are an EfficientNet-Lite, or a part of one.

    Args:
        variant: Of the network.
        size: Side of the square in pixels.
        resize: How a picture becomes a square.

    Raises:
        WeightsError: The `offline` extra is not installed, or its files are not those we pinned.
    """

    modality: ClassVar[Modality] = "image"
    net: nn.Module

    def __init__(self, variant: parts.Variant, size: int, resize: Resize) -> None:
        super().__init__()
        self.variant, self.size = variant, size
        self.resize: Resize = resize
        self._unfolded: str | None = None

    @abstractmethod
    def _take(self, net: Any) -> None:
        """Keep what is wanted of a whole network as `net`, and learn the widths."""

    def load(self) -> None:
        """Build the network and load the packaged weights, as tensors only and by their pinned hash."""
        self._take(parts.pretrained(self.variant, self.size))

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network; the weights come with the run's model, where they are in it."""
        self._take(parts.build(self.variant, self.size))

    def assets(self) -> dict[str, Any]:
        """Nothing: the options say all."""
        return {}

    def optimize(self) -> None:
        """Fold batch normalisation into the convolutions and lay memory out channels-last: over twice as fast."""
        self._unfolded = weights_hash(self.net)
        parts.fold(self.net)

    @property
    def weights(self) -> str:
        """The hash of the weights as they came, not as they were folded."""
        return self._unfolded or weights_hash(self.net)

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixels (B, 3, S, S), channels last in memory."""
        return {"pixels": square_pixels(items, self.size, self.resize)}

"""EfficientNet-Lite on ImageNet, with weights that come as Python packages: pictures without a hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.resizing import Resize, square_pixels
from multitag.encoders.weights import EFFICIENTNET_LITE
from multitag.errors import WeightsError
from multitag.types import Encoded, Modality

NATIVE_SIZE = {"lite0": 224, "lite2": 260}
DEEP_STAGES = 3
"""How many of the last stages ``pool="stages"`` reads beside the final map."""


class EfficientNetLite(Encoder):
    """EfficientNet-Lite (Tan & Le 2019, arXiv 1905.11946; Lite without squeeze-excitation, ReLU6), ImageNet weights.

    Pictures are scaled by (x - 127) / 128: the weights were trained so, and ImageNet's usual
    mean and deviation cost ten points. Tokens are the final map's places, row by row (9 x 9 for lite2 at 260).

    Args:
        variant: ``"lite0"`` (4.7 million parameters, native size 224) or ``"lite2"`` (6.1 million, 260).
        size: Side of the square in pixels; ``"native"`` is the variant's own. Larger ones show small
            things, and take longer.
        pool: ``"mean"`` of the final map (1,280 numbers), as the classifier was trained; ``"mean_max"`` adds its
            maximum; ``"stages"`` adds mean and maximum of the last three stages too, where small things still show.
        resize: How a picture becomes a square: ``"stretch"``, ``"crop"`` to the middle, or ``"pad"`` with grey.

    Raises:
        WeightsError: The `offline` extra is not installed, or its files are not those we pinned.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(
        self,
        *,
        variant: Literal["lite0", "lite2"] = "lite2",
        size: Literal["native"] | Annotated[int, Field(ge=64, le=1024)] = 384,
        pool: Literal["mean", "mean_max", "stages"] = "stages",
        resize: Resize = "stretch",
    ) -> None:
        super().__init__()
        self.variant = variant
        self.size = NATIVE_SIZE[variant] if size == "native" else size
        self.pool = pool
        self.resize: Resize = resize
        self._unfolded: str | None = None

    def load(self) -> None:
        """Build the network and load the packaged weights, as tensors only and by their pinned hash."""
        path = EFFICIENTNET_LITE[self.variant].require()
        net = self._network()
        net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
        self._take(net)

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network; the weights come with the run's model."""
        self._take(self._network())

    def assets(self) -> dict[str, Any]:
        """Nothing: the options say all."""
        return {}

    def _network(self) -> nn.Module:
        try:
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise WeightsError(
                "the encoder 'efficientnet_lite' needs the package 'efficientnet-lite-pytorch'. "
                "Fix: pip install 'multitag[offline]'"
            ) from error
        net: nn.Module = EfficientNet.from_name(f"efficientnet-{self.variant}", image_size=self.size)
        return net

    def _take(self, net: nn.Module) -> None:
        """Keep the network without its ImageNet classifier, and learn its widths."""
        net._fc = nn.Identity()
        self.net = net
        blocks: Any = net._blocks
        # A stage ends where the next block changes the number of channels.
        channels = [block._block_args.output_filters for block in blocks]
        ends = [i for i, c in enumerate(channels) if i + 1 == len(channels) or channels[i + 1] != c]
        self._taps = ends[-DEEP_STAGES:] if self.pool == "stages" else []
        final = int(net._conv_head.out_channels)  # type: ignore[union-attr, arg-type]
        self.token_width = final
        self.width = final * (1 if self.pool == "mean" else 2) + sum(2 * channels[i] for i in self._taps)

    def optimize(self) -> None:
        """Fold batch normalisation into the convolutions and lay memory out channels-last: over twice as fast."""
        self._unfolded = weights_hash(self.net)
        net: Any = self.net.eval()
        net._conv_stem, net._bn0 = fuse_conv_bn_eval(net._conv_stem, net._bn0), nn.Identity()
        net._conv_head, net._bn1 = fuse_conv_bn_eval(net._conv_head, net._bn1), nn.Identity()
        for block in net._blocks:
            if hasattr(block, "_expand_conv"):
                block._expand_conv, block._bn0 = (
                    fuse_conv_bn_eval(block._expand_conv, block._bn0),
                    nn.Identity(),
                )
            block._depthwise_conv = fuse_conv_bn_eval(block._depthwise_conv, block._bn1)
            block._project_conv = fuse_conv_bn_eval(block._project_conv, block._bn2)
            block._bn1, block._bn2 = nn.Identity(), nn.Identity()
        net.to(memory_format=torch.channels_last)

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the size, the pooling and the resizing."""
        weights = self._unfolded or weights_hash(self.net)  # of the weights as they came, not as they were folded
        # Stretching goes without saying: features stored before there was a choice stay good.
        shape = {} if self.resize == "stretch" else {"resize": self.resize}
        return {"weights": weights, "variant": self.variant, "size": self.size, "pool": self.pool, **shape}

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixels (B, 3, S, S), channels last in memory."""
        return {"pixels": square_pixels(items, self.size, self.resize)}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, H * W, 1280) with a mask of all True."""
        pixels = (inputs["pixels"].float() - 127.0) / 128.0
        final, stages = self._maps(pixels.contiguous(memory_format=torch.channels_last))
        pooled = [final.mean((2, 3))]
        if self.pool != "mean":
            pooled.append(final.amax((2, 3)))
        for stage in stages:
            pooled += [stage.mean((2, 3)), stage.amax((2, 3))]
        if not tokens:
            return Encoded(torch.cat(pooled, dim=1))
        places = final.flatten(2).transpose(1, 2)
        mask = torch.ones(places.shape[:2], dtype=torch.bool, device=places.device)
        return Encoded(torch.cat(pooled, dim=1), places, mask)

    def _maps(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The final map (B, 1280, H, W) and those of the last stages."""
        net: Any = self.net
        x = net._swish(net._bn0(net._conv_stem(pixels)))
        stages = []
        for i, block in enumerate(net._blocks):
            rate = net._global_params.drop_connect_rate or 0.0
            x = block(x, drop_connect_rate=rate * i / len(net._blocks))
            if i in self._taps:
                stages.append(x)
        return net._swish(net._bn1(net._conv_head(x))), stages

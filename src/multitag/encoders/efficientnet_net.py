"""The network of EfficientNet-Lite as its package builds it: weights, batch norm folded, a map run through blocks."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from multitag.encoders.weights import EFFICIENTNET_LITE
from multitag.errors import WeightsError

Variant = Literal["lite0", "lite2"]
NATIVE_SIZE = {"lite0": 224, "lite2": 260}
BLOCKS = {"lite0": 16, "lite2": 21}
"""How many blocks lie between the stem and the final convolution."""
DEEP_STAGES = 3
"""How many of the last stages ``pool="stages"`` reads beside the final map."""


def build(variant: Variant, size: int) -> Any:
    """The network with random weights, without its ImageNet classifier.

    Raises:
        WeightsError: The `offline` extra is not installed.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise WeightsError(
            "the encoder 'efficientnet_lite' needs the package 'efficientnet-lite-pytorch'. "
            "Fix: pip install 'multitag[offline]'"
        ) from error
    net: Any = EfficientNet.from_name(f"efficientnet-{variant}", image_size=size)
    net._fc = nn.Identity()
    return net


def pretrained(variant: Variant, size: int) -> Any:
    """The network with the packaged weights, read as tensors only and known by their pinned hash.

    Raises:
        WeightsError: The `offline` extra is not installed, or its files are not those we pinned.
    """
    path = EFFICIENTNET_LITE[variant].require()
    net = build(variant, size)
    weights = torch.load(path, map_location="cpu", weights_only=True)
    net.load_state_dict({name: tensor for name, tensor in weights.items() if not name.startswith("_fc.")})
    return net


def channels(net: Any) -> list[int]:
    """The channels of the map after each block of a whole network."""
    return [int(block._block_args.output_filters) for block in net._blocks]


def deep_ends(net: Any) -> list[int]:
    """The last block of each of the last stages: a stage ends where the next block changes the number of channels."""
    after = channels(net)
    ends = [i for i, c in enumerate(after) if i + 1 == len(after) or after[i + 1] != c]
    return ends[-DEEP_STAGES:]


def keep_below(net: Any, first: int) -> None:
    """Leave the stem and the blocks before `first`."""
    net._blocks = net._blocks[:first]
    net._conv_head, net._bn1 = nn.Identity(), nn.Identity()


def keep_above(net: Any, first: int) -> None:
    """Leave the blocks from `first` on and the final convolution."""
    net._blocks = net._blocks[first:]
    net._conv_stem, net._bn0 = nn.Identity(), nn.Identity()


def fold(net: Any) -> None:
    """Fold batch normalisation into the convolutions and lay memory out channels-last: over twice as fast."""
    net.eval()
    for conv, norm in (("_conv_stem", "_bn0"), ("_conv_head", "_bn1")):
        _fold(net, conv, norm)
    for block in net._blocks:
        if hasattr(block, "_expand_conv"):
            _fold(block, "_expand_conv", "_bn0")
        _fold(block, "_depthwise_conv", "_bn1")
        _fold(block, "_project_conv", "_bn2")
        _pad_within(block._depthwise_conv)
    net.to(memory_format=torch.channels_last)


def _fold(module: Any, conv: str, norm: str) -> None:
    if isinstance(getattr(module, norm), nn.Identity):  # the part is not there, or folded already
        return
    setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
    setattr(module, norm, nn.Identity())


def _pad_within(conv: Any) -> None:
    """Let a convolution that pads all sides alike do so itself: a padded copy of its map takes as long as it does."""
    sides = getattr(conv.static_padding, "padding", (0,))
    if conv.stride[0] == 1 and len(set(sides)) == 1 and sides[0] == conv.kernel_size[0] // 2:
        conv.padding, conv.static_padding = (sides[0], sides[0]), nn.Identity()


def fix_depthwise(net: Any) -> None:
    """Let the depthwise convolutions stay as they are.

    The gradient of their weights takes a processor many times as long as all the rest together.
    """
    for block in net._blocks:
        block._depthwise_conv.requires_grad_(False)


def stem(net: Any, pixels: Tensor) -> Tensor:
    """The map (B, C, H, W) that the first block reads, of pixels (B, 3, S, S) in 0..255."""
    scaled = (pixels.float() - 127.0) / 128.0
    x: Tensor = net._swish(net._bn0(net._conv_stem(scaled.contiguous(memory_format=torch.channels_last))))
    return x


def run_blocks(net: Any, x: Tensor, taps: list[int], *, first: int = 0, of: int) -> tuple[Tensor, dict[int, Tensor]]:
    """A map run through the network's blocks.

    Args:
        net: The network, or a part of one.
        x: (B, C, H, W).
        taps: The blocks whose maps are wanted.
        first: The number of the first of its blocks in the whole network.
        of: How many blocks the whole network has: deeper ones are left out more often while training.

    Returns:
        The last map, and those of `taps` that lie in this part.
    """
    rate = net._global_params.drop_connect_rate or 0.0
    found = {}
    for i, block in enumerate(net._blocks, first):
        x = block(x, drop_connect_rate=rate * i / of)
        if i in taps:
            found[i] = x
    return x, found


def head(net: Any, x: Tensor) -> Tensor:
    """The final map (B, 1280, H, W)."""
    final: Tensor = net._swish(net._bn1(net._conv_head(x)))
    return final

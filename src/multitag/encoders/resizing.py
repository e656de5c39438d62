"""Pictures of any shape to one square: stretched, cropped or padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

Resize = Literal["stretch", "crop", "pad"]

GREY = (127, 127, 127)
"""What padding shows: about nothing, after every encoder's normalisation."""


def squared(picture: Image.Image, size: int, how: Resize, *, share: float = 1.0) -> Image.Image:
    """A picture as a square, bicubic.

    Args:
        picture: Upright, RGB.
        size: The side in pixels.
        how: ``"stretch"``: both sides to `size`, shapes change (seed 003). ``"crop"``: the shorter side to `size`,
            the middle of the longer one; the ends are lost. ``"pad"``: the longer side to `size`, grey beside or
            above and below; everything is there, and smaller.
        share: Of the shorter side that ``"crop"`` keeps; many networks were measured on less than all of it.
    """
    width, height = picture.size
    if how == "crop":
        side = min(width, height) * share
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        return picture.resize((size, size), Image.Resampling.BICUBIC, box=box)
    if how == "pad":
        scale = size / max(width, height)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        square = Image.new("RGB", (size, size), GREY)
        square.paste(picture.resize(inner, Image.Resampling.BICUBIC), ((size - inner[0]) // 2, (size - inner[1]) // 2))
        return square
    return picture.resize((size, size), Image.Resampling.BICUBIC)


def square_pixels(pictures: Sequence[Image.Image], size: int, how: Resize, *, share: float = 1.0) -> Tensor:
    """Pictures as whole numbers 0..255, (B, 3, S, S), channels last in memory."""
    pixels = np.empty((len(pictures), size, size, 3), np.uint8)
    for place, picture in enumerate(pictures):
        pixels[place] = np.asarray(squared(picture, size, how, share=share))
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)

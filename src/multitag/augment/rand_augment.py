"""RandAugment: a few operations from a list of fourteen, all of one strength."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from pydantic import Field

from multitag.augment.base import GREY, Chance, PictureAugmentation

LEVELS = 30


class RandAugment(PictureAugmentation):
    """RandAugment (Cubuk et al. 2020, arXiv 1909.13719): `operations` of fourteen, each as likely, one after another.

    They are: nothing, auto-contrast, equalise, rotate (to 30 degrees), solarise, posterise (to 4 bits), saturation,
    contrast, brightness, sharpness (to factors .1 or 1.9), shear (to .3) and move (to .45 of the side) either way.
    Strength is `magnitude` / 30 of these, the sign by chance.

    Args:
        p: The share of the pictures that are changed.
        operations: How many, one after another.
        magnitude: Strength, 0 to 30.
    """

    def __init__(
        self,
        *,
        p: Chance = 1.0,
        operations: Annotated[int, Field(ge=1, le=10)] = 2,
        magnitude: Annotated[float, Field(ge=0, le=LEVELS)] = 9.0,
    ) -> None:
        super().__init__(p=p)
        self.operations, self.magnitude = operations, magnitude

    def apply(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """The picture after some operations."""
        for _ in range(self.operations):
            operation = OPERATIONS[int(random.integers(len(OPERATIONS)))]
            sign = 1 if random.random() < 0.5 else -1
            picture = operation(picture, self.magnitude / LEVELS, sign)
        return picture


Operation = Callable[[Image.Image, float, int], Image.Image]


def _enhanced(kind: Any) -> Operation:
    return lambda picture, strength, sign: kind(picture).enhance(1 + 0.9 * strength * sign)


def _moved(*axes: float) -> Operation:
    """A shift by shares of the sides (x, y), or a shear (sx, sy)."""
    x, y, shear_x, shear_y = axes

    def apply(picture: Image.Image, strength: float, sign: int) -> Image.Image:
        by = strength * sign
        matrix = (1.0, shear_x * by, x * by * picture.width, shear_y * by, 1.0, y * by * picture.height)
        return picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=GREY)

    return apply


OPERATIONS: list[Operation] = [
    lambda picture, strength, sign: picture,
    lambda picture, strength, sign: ImageOps.autocontrast(picture),
    lambda picture, strength, sign: ImageOps.equalize(picture),
    lambda picture, strength, sign: picture.rotate(30 * strength * sign, Image.Resampling.BICUBIC, fillcolor=GREY),
    lambda picture, strength, sign: ImageOps.solarize(picture, round(256 * (1 - strength))),
    lambda picture, strength, sign: ImageOps.posterize(picture, 8 - round(4 * strength)),
    _enhanced(ImageEnhance.Color),
    _enhanced(ImageEnhance.Contrast),
    _enhanced(ImageEnhance.Brightness),
    _enhanced(ImageEnhance.Sharpness),
    _moved(0, 0, 0.3, 0),
    _moved(0, 0, 0, 0.3),
    _moved(0.45, 0, 0, 0),
    _moved(0, 0.45, 0, 0),
]

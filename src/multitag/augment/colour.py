"""Pictures in another light."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from PIL import Image, ImageEnhance
from pydantic import Field

from multitag.augment.base import Chance, PictureAugmentation

Strength = Annotated[float, Field(ge=0, lt=1)]


class Colour(PictureAugmentation):
    """Changes brightness, contrast and saturation, each by a factor from 1 - strength to 1 + strength, in this order.

    Args:
        p: The share of the pictures that are changed.
        brightness: Strength of the change; 0 leaves it.
        contrast: Strength of the change; 0 leaves it.
        saturation: Strength of the change; 0 leaves it.
    """

    def __init__(
        self,
        *,
        p: Chance = 0.8,
        brightness: Strength = 0.3,
        contrast: Strength = 0.3,
        saturation: Strength = 0.3,
    ) -> None:
        super().__init__(p=p)
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation

    def apply(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """The picture with its colours changed."""
        for enhance, strength in (
            (ImageEnhance.Brightness, self.brightness),
            (ImageEnhance.Contrast, self.contrast),
            (ImageEnhance.Color, self.saturation),
        ):
            picture = enhance(picture).enhance(random.uniform(1 - strength, 1 + strength))
        return picture

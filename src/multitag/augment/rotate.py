"""Pictures turned by a few degrees."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from PIL import Image
from pydantic import Field

from multitag.augment.base import GREY, Chance, PictureAugmentation


class Rotate(PictureAugmentation):
    """Turns pictures about their middle, by an angle from -degrees to degrees, all alike; corners become grey.

    Args:
        p: The share of the pictures that are turned.
        degrees: The largest angle.
    """

    def __init__(self, *, p: Chance = 0.5, degrees: Annotated[float, Field(gt=0, le=180)] = 15.0) -> None:
        super().__init__(p=p)
        self.degrees = degrees

    def apply(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """The picture turned, of its old size."""
        angle = random.uniform(-self.degrees, self.degrees)
        return picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=GREY)

"""Pictures cut down to a part."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from PIL import Image
from pydantic import Field

from multitag.augment.base import Chance, PictureAugmentation

RATIO = 4 / 3
"""The cut's shape is the picture's own, changed by at most this factor."""


class Crop(PictureAugmentation):
    """Cuts pictures down to a random part (Szegedy et al. 2015), which the encoder makes as large as it wants.

    The part has between `smallest` and all of the area, all shares alike, and the picture's shape changed by a factor
    between 3/4 and 4/3, all factors alike in logarithm. Small things may be cut off: labels of small things ask for
    a large `smallest`.

    Args:
        p: The share of the pictures that are cut.
        smallest: The least share of the area that is kept.
    """

    def __init__(self, *, p: Chance = 1.0, smallest: Annotated[float, Field(gt=0, lt=1)] = 0.5) -> None:
        super().__init__(p=p)
        self.smallest = smallest

    def apply(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """A part of the picture, at least a pixel each way."""
        share = random.uniform(self.smallest, 1.0)
        stretch = math.exp(random.uniform(-math.log(RATIO), math.log(RATIO)) / 2)
        width = min(picture.width, max(1, round(picture.width * math.sqrt(share) * stretch)))
        height = min(picture.height, max(1, round(picture.height * math.sqrt(share) / stretch)))
        left = int(random.integers(picture.width - width + 1))
        top = int(random.integers(picture.height - height + 1))
        return picture.crop((left, top, left + width, top + height))

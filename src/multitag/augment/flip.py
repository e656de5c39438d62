"""Mirrored pictures."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image, ImageOps

from multitag.augment.base import Chance, PictureAugmentation


class Flip(PictureAugmentation):
    """Mirrors pictures; not for labels that tell left from right, or that writing in the picture decides.

    Args:
        p: The share of the pictures that are mirrored.
        direction: ``"horizontal"``, left and right change places; or ``"vertical"``, top and bottom.
    """

    def __init__(self, *, p: Chance = 0.5, direction: Literal["horizontal", "vertical"] = "horizontal") -> None:
        super().__init__(p=p)
        self.direction = direction

    def apply(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """The picture's mirror image."""
        return ImageOps.mirror(picture) if self.direction == "horizontal" else ImageOps.flip(picture)

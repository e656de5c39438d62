"""Mirrored pictures."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from multitag.augment.base import Chance, MapAugmentation


class Flip(MapAugmentation):
    """Mirrors pictures; not for labels that tell left from right, or that writing in the picture decides.

    Of an encoder whose lower part is stored (`first_trained`), the stored map is mirrored: about what the mirrored
    picture would give, for the lower part's filters are not mirrored with it.

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

    def apply_to_map(self, grid: Tensor, random: np.random.Generator) -> Tensor:
        """The map's mirror image."""
        return grid.flip(1 if self.direction == "horizontal" else 0)

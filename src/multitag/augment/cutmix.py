"""CutMix: a rectangle of one picture on another."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field
from torch import Tensor

from multitag.augment.base import BatchAugmentation, Chance


class Cutmix(BatchAugmentation):
    """CutMix (Yun et al. 2019): a rectangle of another picture is pasted in; y' is mixed by the areas.

    The rectangle has the picture's shape, its area a share 1 - l with l from a Beta(alpha, alpha), and its middle
    anywhere; what lies outside is lost, and l counted anew. One rectangle a batch. What frozen encoders say, and
    labels, are mixed as mixup does.

    Args:
        alpha: Small ones mix little; 1 takes all shares alike.
        p: The share of the batches that are mixed.
    """

    def __init__(self, *, alpha: Annotated[float, Field(gt=0)] = 1.0, p: Chance = 0.5) -> None:
        super().__init__(alpha=alpha, p=p)

    def pixels(
        self, pixels: Tensor, partner: Tensor, share: float, random: np.random.Generator
    ) -> tuple[Tensor, float]:
        """Each picture with a rectangle of its partner, at the same place."""
        height, width = pixels.shape[-2:]
        cut = math.sqrt(1 - share)
        # In shares of the sides: the same part for encoders of different sizes.
        middle_y, middle_x = random.random(2)
        top, bottom = (round(height * min(1.0, max(0.0, middle_y + side * cut / 2))) for side in (-1, 1))
        left, right = (round(width * min(1.0, max(0.0, middle_x + side * cut / 2))) for side in (-1, 1))
        mixed = pixels.clone()
        mixed[..., top:bottom, left:right] = pixels[partner][..., top:bottom, left:right]
        return mixed, 1 - (bottom - top) * (right - left) / (height * width)

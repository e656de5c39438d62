"""Mixup: two pictures shine through each other."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from torch import Tensor

from multitag.augment.base import BatchAugmentation, Chance


class Mixup(BatchAugmentation):
    """Mixup (Zhang et al. 2018): x' = l x + (1 - l) x_other, and y' alike, l from a Beta(alpha, alpha).

    One share l a batch, with pixels of encoders that train. What frozen encoders say of the two rows is mixed in
    the same way, so that picture and text of a row still belong together. With several labels y' is a share for each
    label; one that is not known in either row is not known. Rows are mixed with rows that have the same modalities.

    Args:
        alpha: Small ones mix little; 1 takes all shares alike.
        p: The share of the batches that are mixed.
    """

    def __init__(self, *, alpha: Annotated[float, Field(gt=0)] = 0.2, p: Chance = 1.0) -> None:
        super().__init__(alpha=alpha, p=p)

    def pixels(
        self, pixels: Tensor, partner: Tensor, share: float, random: np.random.Generator
    ) -> tuple[Tensor, float]:
        """Mean of each picture and its partner, weighted."""
        own = pixels.float()
        return share * own + (1 - share) * own[partner], share

"""Texts that lose words."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from multitag.augment.base import Chance, TextAugmentation


class WordDropout(TextAugmentation):
    """Leaves words out at random (Iyyer et al. 2015), each with the same chance; one always stays.

    Args:
        p: The share of the texts that are changed.
        share: The share of a text's words that are left out, in the mean.
    """

    def __init__(self, *, p: Chance = 1.0, share: Annotated[float, Field(gt=0, lt=1)] = 0.1) -> None:
        super().__init__(p=p)
        self.share = share

    def apply(self, text: str, random: np.random.Generator) -> str:
        """The words that stay, in their order."""
        words = text.split()
        if len(words) < 2:
            return text
        kept = random.random(len(words)) >= self.share
        if not kept.any():
            kept[int(random.integers(len(words)))] = True
        return " ".join(word for word, keep in zip(words, kept, strict=True) if keep)

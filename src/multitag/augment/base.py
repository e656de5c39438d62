"""What an augmentation is: of pictures, of texts, or of batches; all chance comes from the generator it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

import numpy as np
from PIL import Image
from pydantic import Field
from torch import Tensor

Kind = Literal["image", "text", "batch"]
Chance = Annotated[float, Field(ge=0, le=1)]

GREY = (127, 127, 127)
"""What shows where a picture was moved away."""


class PictureAugmentation(ABC):
    """Base of those that change a picture before its encoder prepares it.

    Args:
        p: The share of the pictures that are changed.
    """

    kind: ClassVar[Kind] = "image"

    def __init__(self, *, p: Chance) -> None:
        self.p = p

    def __call__(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """The picture, changed with chance `p`; the one given stays as it is."""
        return self.apply(picture, random) if random.random() < self.p else picture

    @abstractmethod
    def apply(self, picture: Image.Image, random: np.random.Generator) -> Image.Image:
        """A changed RGB picture, of any size."""


class MapAugmentation(PictureAugmentation):
    """Base of those that change, about as well, the map that the frozen part of an encoder makes of a picture."""

    def on_map(self, grid: Tensor, random: np.random.Generator) -> Tensor:
        """A map (H, W, C), changed with chance `p` where the picture would have been."""
        return self.apply_to_map(grid, random) if random.random() < self.p else grid

    @abstractmethod
    def apply_to_map(self, grid: Tensor, random: np.random.Generator) -> Tensor:
        """A changed map (H, W, C)."""


class TextAugmentation(ABC):
    """Base of those that change a text.

    Args:
        p: The share of the texts that are changed.
    """

    kind: ClassVar[Kind] = "text"

    def __init__(self, *, p: Chance) -> None:
        self.p = p

    def __call__(self, text: str, random: np.random.Generator) -> str:
        """The text, changed with chance `p`."""
        return self.apply(text, random) if random.random() < self.p else text

    @abstractmethod
    def apply(self, text: str, random: np.random.Generator) -> str:
        """A changed text; one that says something still does."""


class BatchAugmentation(ABC):
    """Base of those that mix the rows of a batch, targets included.

    Args:
        alpha: The shares come from a Beta(alpha, alpha): small ones mix little, 1 takes all shares alike.
        p: The share of the batches that are mixed.
    """

    kind: ClassVar[Kind] = "batch"

    def __init__(self, *, alpha: Annotated[float, Field(gt=0)], p: Chance) -> None:
        self.alpha = alpha
        self.p = p

    @abstractmethod
    def pixels(
        self, pixels: Tensor, partner: Tensor, share: float, random: np.random.Generator
    ) -> tuple[Tensor, float]:
        """Mix pictures.

        Args:
            pixels: (n, C, H, W).
            partner: (n,), which picture each is mixed with.
            share: How much of the own picture is to stay.
            random: The generator; equal for all encoders of a batch.

        Returns:
            The mixed pictures, and how much of the own ones did stay.
        """

"""What a picture network was trained to see, as plain numbers: for networks that come without a Pillow processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from multitag.encoders.resizing import Resize, square_pixels


@dataclass(frozen=True)
class Preparation:
    """Pictures to normalised squares, bicubic.

    Attributes:
        size: Side of the square in pixels.
        how: How a picture becomes a square.
        share: Of the shorter side that ``"crop"`` keeps.
        mean: Of each colour, from 0 to 1.
        std: Likewise.
    """

    size: int
    how: Resize
    share: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Pictures as (B, 3, S, S)."""
        pixels = square_pixels(pictures, self.size, self.how, share=self.share).float() / 255
        return (pixels - torch.tensor(self.mean).view(3, 1, 1)) / torch.tensor(self.std).view(3, 1, 1)

    def shaped(self, resize: Literal["model"] | Resize) -> Preparation:
        """The same with the user's way to a square, where it is not the model's."""
        return self if resize == "model" else replace(self, how=resize, share=1.0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def of(cls, values: dict[str, Any]) -> Preparation:
        """What `to_dict` gave."""
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})

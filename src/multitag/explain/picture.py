"""A picture cut into cells, any of which can be covered."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from multitag.data.images import load_image
from multitag.types import BoolArray, ImageSource

Cover = Literal["mean", "blur"]
MOST_PIXELS = 1024
"""A longer side is shrunk to this: encoders read less, and a hundred copies are made."""


@dataclass(frozen=True)
class CutPicture:
    """A picture in `side` x `side` cells, numbered row by row.

    Attributes:
        pixels: (H, W, 3).
        under: (H, W, 3), what shows where a cell is covered: the picture's mean colour, or the picture itself, blurred
            until nothing of a cell's size is left.
        side: Cells in a row, and rows of cells; fewer where the picture has fewer pixels.
    """

    pixels: npt.NDArray[np.uint8]
    under: npt.NDArray[np.uint8]
    side: int

    @classmethod
    def of(cls, source: ImageSource, *, side: int, cover: Cover, max_pixels: int) -> CutPicture:
        """The picture of a file or of its bytes.

        Raises:
            DataError: It cannot be read.
        """
        picture = load_image(source, max_pixels=max_pixels)
        if max(picture.size) > MOST_PIXELS:
            picture.thumbnail((MOST_PIXELS, MOST_PIXELS), Image.Resampling.LANCZOS)
        pixels = np.asarray(picture)
        if cover == "blur":
            under = np.asarray(picture.filter(ImageFilter.GaussianBlur(max(picture.size) / side)))
        else:
            under = np.broadcast_to(np.rint(pixels.mean((0, 1))).astype(np.uint8), pixels.shape)
        return cls(pixels, under, min(side, *picture.size))

    @property
    def cells(self) -> int:
        """How many there are."""
        return self.side * self.side

    def box(self, cell: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of a cell, in pixels; the cells fill the picture."""
        row, column = divmod(cell, self.side)
        height, width = self.pixels.shape[:2]
        return (
            column * width // self.side,
            row * height // self.side,
            (column + 1) * width // self.side,
            (row + 1) * height // self.side,
        )

    def without(self, covered: BoolArray) -> bytes:
        """The picture's file with some cells (P,) covered, without loss."""
        changed = self.pixels.copy()
        for cell in np.flatnonzero(covered):
            left, top, right, bottom = self.box(int(cell))
            changed[top:bottom, left:right] = self.under[top:bottom, left:right]
        file = BytesIO()
        Image.fromarray(changed).save(file, "PPM")
        return file.getvalue()

"""Small copies of pictures for a page, within a budget of bytes."""

from __future__ import annotations

from io import BytesIO
from typing import Final

from PIL import Image

from multitag.data.images import image_name, load_image
from multitag.errors import DataError
from multitag.report.blocks import Thumbnail
from multitag.types import ImageSource

BUDGET: Final = 15_000_000
"""Bytes; a third more in the page, where they are written in base 64."""


class Thumbnails:
    """Makes the thumbnails of one page, each picture once; past the budget there are none.

    Args:
        side: The longest side in pixels.
        budget: The most bytes of all of them together.
        quality: WebP's quality.
    """

    def __init__(self, *, side: int = 144, budget: int = BUDGET, quality: int = 62) -> None:
        self.side, self.budget, self.quality = side, budget, quality
        self.spent = 0
        self.left_out = 0
        """Pictures asked for that the budget had no room for."""
        self._made: dict[ImageSource, Thumbnail | None] = {}

    def of(self, source: ImageSource | None) -> Thumbnail | None:
        """The thumbnail of a picture; `None` without one, where it cannot be read, or where the budget is spent."""
        if source is None:
            return None
        if source not in self._made:
            self._made[source] = self._make(source)
        return self._made[source]

    @property
    def note(self) -> str:
        """What a reader must know of the pictures on the page."""
        shown = sum(made is not None for made in self._made.values())
        text = f"{shown:,} pictures are on this page, as thumbnails of at most {self.side} pixels a side."
        if self.left_out:
            text += f" {self.left_out:,} more were left out to keep the file small; their rows are named all the same."
        return text

    def _make(self, source: ImageSource) -> Thumbnail | None:
        if self.spent >= self.budget:
            self.left_out += 1
            return None
        try:
            image = load_image(source)
        except DataError:
            return None
        image.thumbnail((self.side, self.side), Image.Resampling.LANCZOS, reducing_gap=2.0)
        out = BytesIO()
        image.save(out, "WEBP", quality=self.quality, method=4)
        self.spent += len(out.getvalue())
        return Thumbnail(out.getvalue(), *image.size, name=image_name(source))

"""Pixels of any mode to RGB: turned upright, alpha on white, high depths scaled instead of clipped."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1, as it stands, where there is none or it is damaged."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF raises whatever its parser stumbles over; the pixels are still good
        return 1
    return value if value in _TURNS else 1


def upright(image: Image.Image, turn: int) -> Image.Image:
    """The picture turned as EXIF `orientation` says."""
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def to_rgb(image: Image.Image) -> Image.Image:
    """A picture of any mode as RGB.

    Transparent pixels show white. Integers of 16 bits map 0..65535 to 0..255, wider ones by their own range;
    floats within 0..1 are taken for shares of white, others within 0..255 as they are, and the rest by their
    own range.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bits(np.asarray(image), image.mode)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        # A picture of white under it, not a paste: half transparent pixels blend.
        colours = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, colours).convert("RGB")
    return image.convert("RGB")


def _eight_bits(values: npt.NDArray[np.generic], mode: str) -> npt.NDArray[np.uint8]:
    wide = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(wide.min()), float(wide.max())
    if mode != "F" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    elif mode == "F" and low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    scaled = (wide - low) * (255.0 / (high - low)) if high > low else np.zeros_like(wide)
    return np.rint(scaled).astype(np.uint8)

"""What a picture looks like in a few numbers, which hardly change when it is scaled, compressed or retouched."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image

SIDE: Final = 32
LOW: Final = 8


class Fingerprint(NamedTuple):
    """A picture in short.

    Attributes:
        bits: 64 bits, a perceptual hash.
        colours: Red, green and blue of 8 x 8 patches, 192 bytes.
    """

    bits: int
    colours: bytes


def fingerprint(image: Image.Image) -> Fingerprint:
    """The fingerprint of an RGB picture.

    The hash is pHash (Zauner 2010): the picture in grey at 32 x 32, the 8 x 8 lowest frequencies of its cosine
    transform, and for each whether it is above their median. Shape alone makes it; the patches tell pictures apart
    that differ in colour, or that have no shape.
    """
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    grey = np.asarray(small.convert("L"), np.float64)
    low = (_COSINES @ grey @ _COSINES.T).round(6)
    above = (low > np.median(low)).ravel()
    patches = np.asarray(small, np.float64).reshape(LOW, SIDE // LOW, LOW, SIDE // LOW, 3).mean((1, 3))
    return Fingerprint(int.from_bytes(np.packbits(above).tobytes()), patches.round().astype(np.uint8).tobytes())


def _cosines() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The first rows of the cosine transform (type II)."""
    frequencies, places = np.arange(LOW)[:, None], np.arange(SIDE)[None]
    return np.cos(np.pi * frequencies * (2 * places + 1) / (2 * SIDE))


_COSINES: Final = _cosines()

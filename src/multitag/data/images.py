"""One picture, from a file or bytes of any kind that Pillow reads, to upright RGB."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

from multitag.data.pixels import orientation, to_rgb, upright
from multitag.errors import DataError
from multitag.types import ImageSource

MAX_PIXELS: Final = 89_000_000
MAX_BYTES: Final = 100 * 1024 * 1024
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")


def load_image(source: ImageSource, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Image.Image:
    """The picture in RGB, as a viewer shows it.

    The first frame of an animation, turned as EXIF says, alpha composited on white, 16 bits scaled to 8.

    Args:
        source: A file, or the file's bytes.
        max_pixels: The most pixels decoded; Pillow's own limit of 179 million stands above it.
        max_bytes: The most bytes read.

    Raises:
        DataError: The file is missing, no picture of an accepted format, cut short, damaged, or over a limit.
    """
    return decode_image(read_bytes(source, max_bytes), image_name(source), max_pixels=max_pixels)


def decode_image(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """`load_image` for bytes that were read already; errors call the picture `name`."""
    with _opened(data, name, max_pixels) as image:
        turn = orientation(image)
        image.load()
        return upright(to_rgb(image), turn)


def whole_size(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of the upright picture, every byte of which can be decoded.

    Raises:
        DataError: As of `load_image`.
    """
    with _opened(data, name, max_pixels) as image:
        width, height = (image.height, image.width) if orientation(image) >= 5 else image.size
        image.draft(None, (1, 1))  # a JPEG at an eighth of its size: nothing is left unread, and it takes half the time
        image.load()
        to_rgb(image)
        return width, height


def image_size(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of the upright picture by its header alone, which says nothing of whether the rest is
    there.

    Raises:
        DataError: No picture of an accepted format, or over the limit.
    """
    with _opened(data, name, max_pixels) as image:
        width, height = image.size
        return (height, width) if orientation(image) >= 5 else (width, height)


def content_hash(source: ImageSource, *, max_bytes: int = MAX_BYTES) -> str:
    """The SHA-256 of the file's bytes in hexadecimal: the same picture file has the same hash under any name.

    Raises:
        DataError: The file cannot be read or is over the limit.
    """
    return hashlib.sha256(read_bytes(source, max_bytes)).hexdigest()


def read_bytes(source: ImageSource, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a picture's file.

    Raises:
        DataError: The file cannot be read, is empty or is over the limit.
    """
    name = image_name(source)
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > max_bytes:
            raise DataError(f"{name} has {size:,} bytes, more than the limit of {max_bytes:,} (max_bytes)")
        data = source if isinstance(source, bytes) else source.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{name} does not exist") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise DataError(f"{name!r} is no file name: {error}") from error
    if not data:
        raise DataError(f"{name} is empty (0 bytes)")
    return data


@contextmanager
def _opened(data: bytes, name: str, max_pixels: int) -> Iterator[Image.Image]:
    """The picture, its header read and found within limits; what goes wrong inside the block is its fault."""
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise DataError(
                    f"{name} has {width:,} x {height:,} pixels, over the limit of {max_pixels:,} (max_pixels)"
                )
            yield image
    except (DataError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise DataError(f"{name} is no picture of an accepted format ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise DataError(f"{name} has more pixels than the limit of {max_pixels:,} (max_pixels)") from error
    except Exception as error:  # decoders raise anything on damaged bytes; here it can mean nothing else
        raise DataError(f"{name} is cut short or damaged: {error}") from error


def image_name(source: ImageSource) -> str:
    """What messages call a picture."""
    return "the picture" if isinstance(source, bytes) else str(source)

"""Small copies of pictures, within a budget."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from multitag.report import Thumbnails


def noise(seed: int) -> bytes:
    out = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (200, 400, 3), np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_a_thumbnail_is_small_and_keeps_its_shape():
    made = Thumbnails(side=64).of(noise(0))
    assert (made.width, made.height) == (64, 32)
    assert Image.open(BytesIO(made.data)).format == "WEBP"


def test_each_picture_is_made_once_until_the_budget_is_spent():
    thumbnails = Thumbnails(budget=1)
    first = thumbnails.of(noise(0))
    assert thumbnails.of(noise(0)) is first
    assert thumbnails.of(noise(1)) is None
    assert thumbnails.of(noise(1)) is None
    assert thumbnails.left_out == 1
    assert thumbnails.note.startswith(
        "1 pictures are on this page, as thumbnails of at most 144 pixels a side. 1 more "
    )


def test_what_is_no_picture_has_no_thumbnail(tmp_path):
    thumbnails = Thumbnails()
    assert thumbnails.of(None) is None
    assert thumbnails.of(tmp_path / "absent.png") is None
    assert thumbnails.left_out == 0

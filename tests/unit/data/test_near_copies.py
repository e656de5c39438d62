"""Which pictures look the same."""

from __future__ import annotations

from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from multitag.data.fingerprints import Fingerprint, fingerprint
from multitag.data.image_check import check_images
from multitag.data.near_copies import near_copies
from multitag.types import Sample


def picture(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Coloured clouds, such as no other seed gives."""
    clouds = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return Image.fromarray(clouds).resize(size, Image.Resampling.BICUBIC)


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    out = BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(BytesIO(out.getvalue())).convert("RGB")


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((160, 120)),
        lambda image: image.resize((640, 400)),
        lambda image: as_jpeg(image, 25),
        lambda image: ImageEnhance.Brightness(image).enhance(1.08),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        lambda image: image.crop((3, 2, 318, 239)),
        lambda image: image.copy(),
    ],
    ids=["smaller", "larger", "jpeg", "brighter", "blurred", "cropped", "copy"],
)
def test_a_picture_changed_a_little_is_a_near_copy(change):
    pictures = [picture(seed) for seed in range(20)]
    found = near_copies([fingerprint(image) for image in (*pictures, *map(change, pictures))])
    assert found == [(n, n + 20) for n in range(20)]


def test_other_pictures_are_not():
    mirrored = picture(0).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert near_copies([fingerprint(picture(seed)) for seed in range(300)] + [fingerprint(mirrored)]) == []


def test_colour_tells_apart_what_has_no_shape():
    plain = [Image.new("RGB", (50, 50), colour) for colour in ("white", "red", "#fefefe", "blue", "#fe0101")]
    assert near_copies([fingerprint(image) for image in plain]) == [(0, 2), (1, 4)]


def test_the_bands_miss_no_pair():
    """As all pairs compared one by one, on hashes that are close to each other."""
    rng = np.random.default_rng(0)
    bits = [int(n) for n in rng.integers(0, 1 << 63, 40)]
    for _ in range(260):
        flipped = rng.choice(64, rng.integers(0, 12), replace=False)
        bits.append(bits[rng.integers(40)] ^ sum(1 << int(place) for place in flipped))
    prints = [Fingerprint(n, bytes(192)) for n in bits]
    joined = {row: {row} for row in range(len(prints))}
    for one, other in combinations(range(len(prints)), 2):
        if (bits[one] ^ bits[other]).bit_count() <= 8 and joined[one] is not joined[other]:
            joined[one] |= joined[other]
            for row in joined[other]:
                joined[row] = joined[one]
    expected = {tuple(sorted(group)) for group in joined.values() if len(group) > 1}
    assert near_copies(prints) == sorted(expected)


def test_rows_without_a_picture_are_in_no_group():
    one = fingerprint(picture(1))
    assert near_copies([None, one, None, one, one]) == [(1, 3, 4)]
    assert near_copies([None, None]) == []
    assert near_copies([]) == []


def test_many_blank_pictures_are_one_group_at_once():
    blank = fingerprint(Image.new("RGB", (8, 8), "white"))
    assert near_copies([blank] * 30_000) == [tuple(range(30_000))]


def test_the_look_at_a_table_gives_fingerprints_where_asked(tmp_path):
    picture(0).save(tmp_path / "a.png")
    samples = [Sample("0", image=tmp_path / "a.png"), Sample("1"), Sample("2", image=tmp_path / "none.png")]
    assert check_images(samples).fingerprints == []
    assert check_images(samples, fingerprints=True).fingerprints == [fingerprint(picture(0)), None, None]
    with pytest.raises(ValueError, match="verify='decode'"):
        check_images(samples, fingerprints=True, verify="header")

"""Pictures of every kind, good and bad."""

from __future__ import annotations

import hashlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from multitag.data.image_check import check_images, require_images
from multitag.data.images import content_hash, image_size, load_image, whole_size
from multitag.errors import DataError
from multitag.types import Sample


def encoded(image, kind="PNG", **options):
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pixel(data, at=(0, 0)):
    image = load_image(data)
    assert image.mode == "RGB"
    return image.getpixel(at)


@pytest.mark.parametrize(
    ("mode", "colour", "kind", "expected"),
    [
        ("1", 1, "PNG", (255, 255, 255)),
        ("L", 100, "PNG", (100, 100, 100)),
        ("LA", (0, 51), "PNG", (204, 204, 204)),  # a fifth black on white: 255 * 4 / 5
        ("RGB", (10, 20, 30), "PNG", (10, 20, 30)),
        ("RGBA", (255, 0, 0, 0), "PNG", (255, 255, 255)),
        ("RGBA", (255, 0, 0, 51), "PNG", (255, 204, 204)),
        ("CMYK", (0, 255, 255, 0), "TIFF", (255, 0, 0)),
        ("YCbCr", (128, 128, 128), "TIFF", (128, 128, 128)),
        ("LAB", (255, 128, 128), "TIFF", (255, 255, 255)),
        ("I;16", 65535, "PNG", (255, 255, 255)),
        ("I;16", 25700, "PNG", (100, 100, 100)),  # 100 * 257
        ("I;16", 25700, "TIFF", (100, 100, 100)),
        ("I", 25700, "TIFF", (100, 100, 100)),
        ("F", 0.2, "TIFF", (51, 51, 51)),
        ("F", 77.0, "TIFF", (77, 77, 77)),
    ],
)
def test_every_mode_becomes_rgb_as_it_looks(mode, colour, kind, expected):
    assert pixel(encoded(Image.new(mode, (3, 2), colour), kind)) == pytest.approx(expected, abs=1)


def test_wide_numbers_are_scaled_by_their_own_range():
    wide = Image.fromarray(np.array([[-100, 300_000], [149_950, -100]], np.int32))
    image = load_image(encoded(wide, "TIFF"))
    assert [image.getpixel(at)[0] for at in [(0, 0), (1, 0), (0, 1)]] == [0, 255, 128]


def test_a_palette_with_a_transparent_colour_shows_white_there():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    data = encoded(image, "PNG", transparency=0)
    assert (pixel(data), pixel(data, (1, 0))) == ((255, 255, 255), (0, 0, 255))
    assert pixel(encoded(Image.new("RGB", (1, 1), (1, 2, 3)), "PNG", transparency=(1, 2, 3))) == (
        255,
        255,
        255,
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
def test_every_accepted_format_is_read(kind):
    red, green, blue = pixel(encoded(Image.new("RGB", (16, 16), (200, 30, 60)), kind))
    assert abs(red - 200) < 8
    assert abs(green - 30) < 8
    assert abs(blue - 60) < 8


# Where a 3 x 2 picture's first pixel, the only red one, is to be seen by each EXIF orientation.
@pytest.mark.parametrize(
    ("turn", "size", "at"),
    [
        (1, (3, 2), (0, 0)),
        (2, (3, 2), (2, 0)),
        (3, (3, 2), (2, 1)),
        (4, (3, 2), (0, 1)),
        (5, (2, 3), (0, 0)),
        (6, (2, 3), (1, 0)),
        (7, (2, 3), (1, 2)),
        (8, (2, 3), (0, 2)),
        (9, (3, 2), (0, 0)),
    ],
)
def test_exif_is_turned_upright(turn, size, at):
    image = Image.new("RGB", (3, 2), "white")
    image.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = turn
    data = encoded(image, "PNG", exif=exif)
    assert load_image(data).size == image_size(data, "x") == whole_size(data, "x") == size
    assert pixel(data, at) == (255, 0, 0)


def test_an_animation_shows_its_first_frame():
    frames = [Image.new("RGB", (2, 2), colour) for colour in ("red", "blue")]
    assert pixel(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF"])
def test_a_picture_cut_short_is_an_error(kind):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    with pytest.raises(DataError, match=r"the picture is (cut short|no picture)"):
        load_image(data[: len(data) * 2 // 3])
    assert whole_size(data, "x") == (64, 64)
    for length in (len(data) * 2 // 3, len(data) - 100):
        with pytest.raises(DataError, match=r"x is (cut short|no picture)"):
            whole_size(data[:length], "x")


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (640, 480)])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_the_whole_of_a_jpeg_is_read_whatever_its_size(size, mode):
    data = encoded(Image.effect_noise(size, 60).convert(mode), "JPEG")
    assert whole_size(data, "x") == size


def test_limits_and_foreign_formats_are_errors(tmp_path):
    data = encoded(Image.new("RGB", (20, 10)))
    assert load_image(data, max_pixels=200).size == (20, 10)
    with pytest.raises(DataError, match=r"20 x 10 pixels, over the limit of 199 \(max_pixels\)"):
        load_image(data, max_pixels=199)
    with pytest.raises(DataError, match=rf"has {len(data)} bytes, more than the limit of 9 \(max_bytes\)"):
        load_image(data, max_bytes=9)
    with pytest.raises(DataError, match="is no picture of an accepted format"):
        load_image(encoded(Image.new("RGB", (4, 4)), "ICO"))
    with pytest.raises(DataError, match=r"no\.png does not exist"):
        load_image(tmp_path / "no.png")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        load_image(tmp_path)
    (tmp_path / "empty.png").touch()
    with pytest.raises(DataError, match=r"empty\.png is empty"):
        load_image(tmp_path / "empty.png")


@pytest.fixture
def pictures(tmp_path):
    good = encoded(Image.effect_noise((8, 4), 50).convert("RGB"))
    (tmp_path / "a.png").write_bytes(good)
    (tmp_path / "copy.png").write_bytes(good)
    (tmp_path / "cut.png").write_bytes(good[:-40])
    (tmp_path / "text.png").write_text("hello")
    names = ["a.png", "cut.png", "copy.png", "", "text.png", "gone.png", "a.png"]
    samples = [
        Sample(str(k), tmp_path / name if name else None, source=f"t.csv:{k + 2}") for k, name in enumerate(names)
    ]
    return samples, hashlib.sha256(good).hexdigest()


@pytest.mark.parametrize("workers", [1, 2])
def test_all_bad_pictures_are_found_at_once(pictures, workers):
    samples, digest = pictures
    seen = []
    report = check_images(samples, progress=lambda done, total: seen.append((done, total)), workers=workers)
    assert [(bad.row, bad.source) for bad in report.bad] == [(1, "t.csv:3"), (4, "t.csv:6"), (5, "t.csv:7")]
    for bad, words in zip(report.bad, ["cut short", "no picture", "not exist"], strict=True):
        assert words in bad.message
    assert report.sizes == [(8, 4), None, (8, 4), None, None, None, (8, 4)]
    assert report.hashes == [digest, None, digest, None, None, None, digest]
    assert content_hash(samples[0].image) == digest
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


def test_headers_alone_do_not_show_what_is_cut(pictures):
    report = check_images(pictures[0], verify="header")
    assert [bad.row for bad in report.bad] == [4, 5]
    assert report.sizes[1] == (8, 4)


def test_bad_pictures_raise_together_or_go_missing(pictures):
    samples, _ = pictures
    with pytest.raises(DataError) as error:
        require_images(samples)
    message = str(error.value)
    assert message.startswith("the pictures of 3 rows cannot be used")
    assert all(place in message for place in ("t.csv:3: ", "t.csv:6: ", "t.csv:7: ", "--on-bad-image missing"))
    kept, report = require_images(samples, "missing")
    assert [row for row, sample in enumerate(kept) if sample.image is None] == [1, 3, 4, 5]
    assert kept[0] is samples[0]
    assert len(report.bad) == 3

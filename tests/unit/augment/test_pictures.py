"""What each picture augmentation does, seen on pictures with marked places."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

import tiny
from multitag.augment.base import GREY
from multitag.augment.colour import Colour
from multitag.augment.crop import Crop
from multitag.augment.flip import Flip
from multitag.augment.rand_augment import OPERATIONS, RandAugment
from multitag.augment.rotate import Rotate


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def marked() -> Image.Image:
    """10 x 6, black, with a white pixel at (1, 2)."""
    picture = Image.new("RGB", (10, 6))
    picture.putpixel((1, 2), (255, 255, 255))
    return picture


def test_flip_mirrors():
    assert Flip(p=1)(marked(), random()).getpixel((8, 2)) == (255, 255, 255)
    assert Flip(p=1, direction="vertical")(marked(), random()).getpixel((1, 3)) == (255, 255, 255)


def test_rotate_turns_within_its_degrees_and_shows_grey():
    white = Image.new("RGB", (101, 101), (255, 255, 255))
    turned = Rotate(p=1, degrees=45)(white, random(1))
    assert turned.size == (101, 101)
    assert turned.getpixel((0, 0)) == GREY
    assert turned.getpixel((50, 50)) == (255, 255, 255)
    # Where a line upright through the middle ends says how far it was turned.
    line = Image.new("RGB", (101, 101))
    line.paste((255, 255, 255), (50, 0, 51, 101))
    ends = [
        int(np.asarray(Rotate(p=1, degrees=10)(line, random(seed)))[1, 30:71, 0].argmax()) - 20 for seed in range(60)
    ]
    assert -9 <= min(ends) <= -7
    assert 7 <= max(ends) <= 9


def test_crop_keeps_at_least_the_smallest_share():
    width, height = 200, 100
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.arange(width)
    ramp[..., 1] = np.arange(height)[:, None]
    areas, lefts = [], []
    for seed in range(100):
        part = np.asarray(Crop(smallest=0.25)(Image.fromarray(ramp), random(seed)))
        areas.append(part.shape[0] * part.shape[1] / (width * height))
        lefts.append(int(part[0, 0, 0]))
        assert (np.diff(part[0, :, 0].astype(int)) == 1).all(), "pixels are cut out, not resized"
        assert 0.74 * 2 <= part.shape[1] / part.shape[0] <= 1.36 * 2
    assert 0.24 <= min(areas) < 0.35
    assert max(areas) > 0.9
    assert len(set(lefts)) > 20


def test_colour_by_hand():
    grey = Image.new("RGB", (4, 4), (100, 100, 100))
    only_light = Colour(p=1, brightness=0.5, contrast=0, saturation=0)
    values = [only_light(grey, random(seed)).getpixel((0, 0))[0] for seed in range(200)]
    assert 50 <= min(values) < 55
    assert 145 < max(values) <= 150
    colourful = tiny.picture(0)
    assert np.array_equal(
        np.asarray(Colour(p=1, brightness=0, contrast=0, saturation=0)(colourful, random())), np.asarray(colourful)
    )


def test_rand_augment_without_magnitude_moves_nothing():
    picture = tiny.picture(0)
    for place, operation in enumerate(OPERATIONS):
        if place in (1, 2):  # auto-contrast and equalise know no strength
            continue
        left = np.asarray(operation(picture, 0.0, 1)).astype(int)
        limit = 255 if place == 4 else 0  # nothing but pure white is turned at solarise's 256
        assert np.abs(left - np.asarray(picture)).max() <= limit, place


def test_rand_augment_at_full_strength():
    picture = Image.new("RGB", (20, 20), (200, 200, 200))
    assert OPERATIONS[4](picture, 1.0, 1).getpixel((0, 0)) == (55, 55, 55)
    assert OPERATIONS[5](picture, 1.0, 1).getpixel((0, 0)) == (192, 192, 192)
    assert OPERATIONS[8](picture, 1.0, -1).getpixel((0, 0)) == (20, 20, 20)
    moved = np.asarray(OPERATIONS[12](picture, 1.0, 1))[10, :, 0]
    assert (moved == 200).sum() == 11
    assert (moved == GREY[0]).sum() == 9
    assert np.array_equal(
        np.asarray(OPERATIONS[1](tiny.picture(1), 0, 1)), np.asarray(ImageOps.autocontrast(tiny.picture(1)))
    )


@pytest.mark.parametrize("operations", [1, 3])
def test_rand_augment_does_so_many_operations(operations, monkeypatch):
    done = []
    monkeypatch.setattr(
        "multitag.augment.rand_augment.OPERATIONS", [lambda p, strength, sign: done.append((strength, sign)) or p] * 14
    )
    for seed in range(50):
        RandAugment(operations=operations, magnitude=15)(tiny.picture(0), random(seed))
    assert len(done) == 50 * operations
    assert {strength for strength, _ in done} == {0.5}
    assert {sign for _, sign in done} == {-1, 1}

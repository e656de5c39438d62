"""Three ways to make a picture square, told apart by what is left of a picture with marked ends."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import tiny
from multitag.encoders.resizing import GREY, square_pixels, squared

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def striped(turned: bool = False) -> Image.Image:
    """60 x 20: a red, a green and a blue square beside each other; or above each other."""
    pixels = np.zeros((20, 60, 3), np.uint8)
    for place, colour in enumerate([RED, GREEN, BLUE]):
        pixels[:, 20 * place : 20 * (place + 1)] = colour
    return Image.fromarray(pixels.transpose(1, 0, 2).copy() if turned else pixels)


def colours(picture: Image.Image, turned: bool) -> list[list[int]]:
    """Those in the middle of nine fields, along the line through the middle; then across it."""
    pixels = np.asarray(picture)
    pixels = pixels.transpose(1, 0, 2) if turned else pixels
    return [pixels[at].tolist() for at in [(15, 5), (15, 15), (15, 25), (3, 15), (27, 15)]]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("stretch", [RED, GREEN, BLUE, GREEN, GREEN]),
        ("crop", [GREEN, GREEN, GREEN, GREEN, GREEN]),
        ("pad", [RED, GREEN, BLUE, GREY, GREY]),
    ],
)
def test_what_is_left_of_a_long_picture(how, expected, turned):
    square = squared(striped(turned), 30, how)
    assert square.size == (30, 30)
    assert colours(square, turned) == [list(colour) for colour in expected]


def test_padding_is_centred_and_keeps_the_shape():
    pixels = np.asarray(squared(Image.new("RGB", (60, 20), RED), 30, "pad"))
    rows = (pixels == RED).all((1, 2))
    assert rows.nonzero()[0].tolist() == list(range(10, 20))


@pytest.mark.parametrize("how", ["stretch", "crop", "pad"])
def test_a_square_needs_no_choice(how):
    picture = tiny.picture(0, 40, 40)
    expected = picture.resize((24, 24), Image.Resampling.BICUBIC)
    assert np.array_equal(np.asarray(squared(picture, 24, how)), np.asarray(expected))


@pytest.mark.parametrize("how", ["stretch", "crop", "pad"])
def test_a_line_of_pixels_is_a_picture_too(how):
    assert squared(Image.new("RGB", (500, 1)), 32, how).size == (32, 32)


def test_pixels_are_whole_numbers_by_channel():
    pixels = square_pixels([Image.new("RGB", (8, 9), (1, 2, 3))], 4, "stretch")
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (1, 3, 4, 4)
    assert [int(channel.unique()) for channel in pixels[0]] == [1, 2, 3]

"""Pictures and texts cut into parts, masks over them, and what parts are worth."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from multitag.data.images import decode_image
from multitag.explain.masks import drawn, highest, shared_out
from multitag.explain.picture import CutPicture
from multitag.explain.text import MOST_PARTS, CutText


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def cut(width: int = 7, height: int = 5, side: int = 3, cover: str = "mean") -> CutPicture:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return CutPicture.of(png(pixels), side=side, cover=cover, max_pixels=10_000)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 12))
def test_cells_fill_the_picture_and_never_overlap(width, height, side):
    picture = cut(width, height, side)
    seen = np.zeros((height, width), int)
    for cell in range(picture.cells):
        left, top, right, bottom = picture.box(cell)
        assert left < right
        assert top < bottom
        seen[top:bottom, left:right] += 1
    assert (seen == 1).all()


def test_nothing_covered_is_the_picture_and_all_covered_is_its_mean():
    picture = cut()
    nothing, everything = np.zeros(9, bool), np.ones(9, bool)
    same = np.asarray(decode_image(picture.without(nothing), "x"))
    np.testing.assert_array_equal(same, picture.pixels)
    mean = np.asarray(decode_image(picture.without(everything), "x"))
    expected = np.rint(picture.pixels.reshape(-1, 3).mean(0))
    assert (mean == expected).all()


@pytest.mark.parametrize("cover", ["mean", "blur"])
def test_a_covered_cell_changes_and_no_other(cover):
    picture = cut(cover=cover)
    mask = np.zeros(9, bool)
    mask[5] = True  # the second row's last cell
    changed = np.asarray(decode_image(picture.without(mask), "x"))
    left, top, right, bottom = picture.box(5)
    assert (left, top, right, bottom) == (4, 1, 7, 3)
    inside = np.zeros(picture.pixels.shape[:2], bool)
    inside[top:bottom, left:right] = True
    np.testing.assert_array_equal(changed[~inside], picture.pixels[~inside])
    np.testing.assert_array_equal(changed[inside], picture.under[inside])
    assert (changed[inside] != picture.pixels[inside]).any()


def test_a_large_picture_is_shrunk_and_keeps_its_shape():
    picture = CutPicture.of(png(np.zeros((500, 2048, 3), np.uint8)), side=4, cover="mean", max_pixels=10**7)
    assert picture.pixels.shape == (250, 1024, 3)


TEXT = "A dog, a red-haired dog -- don't bark!"


def test_words_are_parts_and_punctuation_is_none():
    text = CutText.of(TEXT)
    assert [text.word(part) for part in range(len(text.parts))] == [
        "A",
        "dog",
        "a",
        "red-haired",
        "dog",
        "don't",
        "bark",
    ]


def test_words_left_out_take_their_space_with_them():
    text = CutText.of(TEXT)
    out = np.array([True, False, True, False, True, False, True])
    assert text.without(out) == "dog, red-haired -- don't !"
    assert text.without(np.zeros(7, bool)) == TEXT
    assert text.without(np.ones(7, bool)) == ", -- !"
    assert CutText.of("dog").without(np.array([True])) == ""


def test_a_text_of_signs_alone_is_cut_into_them():
    assert CutText.of("?! 🎉").parts == ((0, 1), (1, 2), (3, 4))


def test_a_long_text_has_few_parts_that_hold_all_its_words():
    text = CutText.of(" ".join(f"w{n}" for n in range(1000)))
    assert len(text.parts) == 250 <= MOST_PARTS
    assert text.word(0) == "w0 w1 w2 w3"
    assert text.without(np.ones(250, bool)) == ""


def test_words_that_come_again_are_one_mask():
    np.testing.assert_array_equal(
        CutText.of("A dog sees a DOG").repeated(),
        [[True, False, False, True, False], [False, True, False, False, True]],
    )
    assert CutText.of("no word twice").repeated().shape == (0, 3)


def test_a_part_is_worth_its_mean_share():
    masks = np.array([[True, False], [False, True], [True, True]])
    falls = np.array([[1.0, 0.0], [2.0, 0.0], [6.0, -4.0]])
    # Part 0: 1 alone and 6 / 2 together; part 1: 2 alone and 3 together.
    np.testing.assert_allclose(shared_out(masks, falls), [[2.0, -1.0], [2.5, -1.0]])


def test_the_highest_and_the_drawn():
    assert highest(np.array([1.0, 3.0, 3.0, -1.0]), 2).tolist() == [False, True, True, False]
    assert highest(np.array([2.0, 2.0, 2.0]), 1).tolist() == [True, False, False]
    masks = drawn(6, 2, 500, np.random.default_rng(0))
    assert (masks.sum(1) == 2).all()
    np.testing.assert_allclose(masks.mean(0), 1 / 3, atol=0.1)

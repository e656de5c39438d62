"""Pictures as timm's and open_clip's networks were trained on them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import tiny
from multitag.encoders.preparation import Preparation
from multitag.encoders.resizing import squared

HALF = Preparation(32, "crop", 0.5, (0.5, 0.25, 0.0), (0.5, 0.25, 1.0))


def test_scaling_by_hand():
    pixels = HALF([Image.new("RGB", (40, 40), (255, 0, 51))])
    assert pixels.shape == (1, 3, 32, 32)
    assert [float(channel.unique()) for channel in pixels[0]] == pytest.approx([1.0, -1.0, 0.2])


def test_a_share_of_the_shorter_side_is_kept():
    """Of 60 x 40 the middle 20 x 20; at its edge Pillow looks at the pixels beyond, which a cut has lost."""
    picture = tiny.picture(0, 60, 40)
    expected = np.asarray(squared(picture.crop((20, 10, 40, 30)), 32, "stretch"), int)[4:-4, 4:-4]
    got = np.asarray(squared(picture, 32, "crop", share=0.5), int)[4:-4, 4:-4]
    assert np.array_equal(got, expected)


def test_the_users_way_replaces_the_models_with_its_share():
    assert HALF.shaped("model") == HALF
    assert HALF.shaped("crop") == Preparation(32, "crop", 1.0, HALF.mean, HALF.std)
    assert HALF.shaped("pad").how == "pad"


def test_it_survives_json():
    assert Preparation.of(json.loads(json.dumps(HALF.to_dict()))) == HALF

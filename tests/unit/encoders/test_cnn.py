"""The small network from scratch: its widths, its grid, its sums by hand."""

from __future__ import annotations

import torch
from PIL import Image

import tiny
from multitag.encoders.cnn import Cnn


def built(**options) -> Cnn:
    torch.manual_seed(0)
    encoder = Cnn(**options)
    encoder.load()
    return encoder.eval()


def test_the_default_has_a_grid_of_8_by_8():
    encoder = built()
    encoded = encoder(encoder.prepare(tiny.pictures()), tokens=True)
    assert encoded.tokens.shape == (3, 64, 256)
    assert encoder.width == encoder.token_width == 256
    assert torch.allclose(encoded.pooled, encoded.tokens.mean(1))


def test_one_stage_by_hand():
    """A convolution that only copies red: normalised over the picture, cut at 0, the highest of each four."""
    encoder = built(channels=1, stages=1, size=32)
    with torch.no_grad():
        encoder.net[0].weight.zero_()
        encoder.net[0].weight[0, 0, 1, 1] = 1.0
    picture = Image.new("RGB", (32, 32), (0, 9, 9))
    picture.paste((255, 9, 9), (0, 0, 16, 16))
    tokens = encoder(encoder.prepare([picture]), tokens=True).tokens.view(16, 16)
    # A quarter is 1 and the rest -1: mean -.5, deviation sqrt(.75).
    expected = torch.zeros(16, 16)
    expected[:8, :8] = 1.5 / 0.75**0.5
    assert torch.allclose(tokens, expected, atol=1e-4)


def test_a_row_does_not_depend_on_its_batch_even_in_training():
    encoder = built(channels=8, stages=2, size=32).train()
    together = encoder(encoder.prepare(tiny.pictures())).pooled
    alone = torch.cat([encoder(encoder.prepare([picture])).pooled for picture in tiny.pictures()])
    assert torch.allclose(together, alone, atol=1e-5)

"""gMLP, by its formula."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import gelu, layer_norm

from multitag.errors import ConfigError
from multitag.heads.gmlp import GMLP, GatedBlock
from multitag.types import Encoded, Width


def block_by_hand(block: GatedBlock, x: torch.Tensor) -> torch.Tensor:
    """One row (n, d), token by token, channel by channel."""
    count, dim = x.shape
    hidden = gelu(layer_norm(x, (dim,), block.norm.weight, block.norm.bias) @ block.expand.weight.T + block.expand.bias)
    units, gate = hidden[:, : 2 * dim], hidden[:, 2 * dim :]
    gate = layer_norm(gate, (2 * dim,), block.gate_norm.weight, block.gate_norm.bias)
    mixed = torch.zeros_like(gate)
    for i in range(count):
        for j in range(count):
            mixed[i] += block.mix[i, j] * gate[j]
        mixed[i] += block.offset[i]
    return x + (units * mixed) @ block.shrink.weight.T + block.shrink.bias


@torch.no_grad()
@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_block_is_its_formula(count):
    torch.manual_seed(0)
    block = GatedBlock(count, 3, 0.5).eval()
    for parameter in block.parameters():
        parameter.normal_()
    x = torch.randn(4, count, 3)
    expected = torch.stack([block_by_hand(block, row) for row in x])
    assert torch.allclose(block(x), expected, atol=1e-5)


@torch.no_grad()
def test_a_block_starts_with_its_gate_open():
    torch.manual_seed(0)
    block = GatedBlock(16, 8, 0.0).eval()
    assert torch.equal(block.offset, torch.ones(16))
    assert 0 < block.mix.abs().max() <= 1e-3 / 16
    x = torch.randn(5, 16, 8)
    units = gelu(block.expand(block.norm(x)))[..., :16]
    # The gate is 1 up to n terms of at most 1e-3 / n times a normalised number of 16.
    ungated = x + block.shrink(units)
    bound = 1e-3 * 4 * (units.abs() @ block.shrink.weight.abs().T)
    assert ((block(x) - ungated).abs() <= bound + 1e-6).all()
    block.mix.zero_()
    assert torch.allclose(block(x), ungated, atol=1e-6)


@torch.no_grad()
def test_the_head_is_maps_blocks_mean_norm_linear():
    torch.manual_seed(0)
    head = GMLP(Width(5, None, (3, 2)), 4, dim=6, layers=2).eval()
    for parameter in head.parameters():
        parameter.normal_()
    x = torch.randn(3, 5)
    tokens = torch.stack(
        [
            x[:, :3] @ head.maps[0].weight.T + head.maps[0].bias,
            x[:, 3:] @ head.maps[1].weight.T + head.maps[1].bias,
        ],
        dim=1,
    )
    for block in head.blocks:
        tokens = torch.stack([block_by_hand(block, row) for row in tokens])
    pooled = layer_norm((tokens[:, 0] + tokens[:, 1]) / 2, (6,), head.norm.weight, head.norm.bias)
    expected = pooled @ head.out.weight.T + head.out.bias
    assert torch.allclose(head(Encoded(x)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "parts", "sizes"),
    [
        ({}, (30, 10), (30, 10)),
        ({}, (20, 15, 5), (20, 15, 5)),
        ({}, (), (40,)),
        ({"tokens": "plain"}, (30, 10), (40,)),
        ({"tokens": "chunks"}, (30, 10), (3,) * 8 + (2,) * 8),
        ({"tokens": "chunks", "chunks": 4}, (), (10,) * 4),
        ({"tokens": "chunks", "chunks": 40}, (), (1,) * 40),
    ],
)
def test_what_a_token_is(options, parts, sizes):
    head = GMLP(Width(40, None, parts), 2, dim=4, **options)
    assert head.sizes == sizes
    assert [linear.in_features for linear in head.maps] == list(sizes)
    assert head.blocks[0].mix.shape == (len(sizes), len(sizes))


def test_more_chunks_than_numbers_are_refused():
    with pytest.raises(ConfigError, match=r"chunks = 16: the vector has 5 numbers.*at most 5, or tokens to 'plain'"):
        GMLP(Width(5), 2, tokens="chunks")


def test_dropout_drops_inputs_gated_units_and_the_mean():
    head = GMLP(Width(5), 2, dim=4, layers=2, dropout=0.2, input_dropout=0.3)
    assert (head.input_dropout.share, head.dropout.share) == (0.3, 0.2)
    assert [block.dropout.share for block in head.blocks] == [0.2, 0.2]

"""DVTT against a plain reference: loops over the real tokens of one row, softmax and normalisation written out."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.types import Encoded, Width

WIDTHS = {"image": Width(9, 3), "text": Width(8, 5), "tags": Width(2, 2)}
LENGTHS = {"image": [4, 4, 1], "text": [3, 1, 5], "tags": [2, 1, 1]}


def rows(*, left=False):
    """Three rows of tokens, the padding behind them, or before them, shouting."""
    generator = torch.Generator().manual_seed(0)
    result = {}
    for name, width in WIDTHS.items():
        longest = max(LENGTHS[name]) + 1
        mask = torch.zeros(3, longest, dtype=torch.bool)
        tokens = torch.full((3, longest, width.tokens), 1e3)
        for row, count in enumerate(LENGTHS[name]):
            at = slice(longest - count, longest) if left else slice(0, count)
            mask[row, at] = True
            tokens[row, at] = torch.randn(count, width.tokens, generator=generator)
        result[name] = Encoded(torch.zeros(3, width.pooled), tokens, mask)
    return result


def build(names=("image", "text"), **options):
    torch.manual_seed(1)
    small = {"dim": 6, "heads": 2, "layers": 2, "feedforward": 7}
    fusion = FUSIONS.build("dvtt", {**small, **options}, {name: WIDTHS[name] for name in names}).eval()
    for parameter in fusion.parameters():  # no offset stays 0 and no scale 1: each has to be in its place
        parameter.data += 0.1 * torch.randn(parameter.shape)
    return fusion


def linear(x, weight, bias):
    return x @ weight.T + bias


def attention(attend, asking, read):
    """Multi-head attention of `asking` (T, D) over `read` (S, D)."""
    dim = asking.shape[1]
    weights, biases = attend.in_proj_weight.split(dim), attend.in_proj_bias.split(dim)
    parts = zip((asking, read, read), weights, biases, strict=True)
    q, k, v = (linear(x, weight, bias) for x, weight, bias in parts)
    size, seen = dim // attend.num_heads, []
    for head in range(attend.num_heads):
        own = slice(head * size, (head + 1) * size)
        lines = []
        for query in q[:, own]:
            scores = [torch.exp(query @ key / math.sqrt(size)) for key in k[:, own]]
            mixed = sum(score * value for score, value in zip(scores, v[:, own], strict=True))
            lines.append(mixed / sum(scores))
        seen.append(torch.stack(lines))
    return linear(torch.cat(seen, 1), attend.out_proj.weight, attend.out_proj.bias)


def norm(layer, x):
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)
    return (x - mean) / torch.sqrt(variance + 1e-5) * layer.weight + layer.bias


def forward_network(layer, x):
    hidden = linear(x, layer.linear1.weight, layer.linear1.bias).clamp_min(0)
    return linear(hidden, layer.linear2.weight, layer.linear2.bias)


def encode(encoder, x):
    for layer in encoder.layers:
        x = norm(layer.norm1, x + attention(layer.self_attn, x, x))
        x = norm(layer.norm2, x + forward_network(layer, x))
    return norm(encoder.norm, x)


def decode(decoder, x, memory):
    for layer in decoder.layers:
        x = norm(layer.norm1, x + attention(layer.self_attn, x, x))
        x = norm(layer.norm2, x + attention(layer.multihead_attn, x, memory))
        x = norm(layer.norm3, x + forward_network(layer, x))
    return norm(decoder.norm, x)


def reference(fusion, encoded, row):
    """O (T, dim) of one row, by encoder."""
    projected = {}
    for name in fusion.widths:
        tokens = encoded[name].tokens[row][encoded[name].mask[row]]
        if name in fusion.positions and len(tokens) == 4:
            places = torch.tensor([[-1.0, -1], [1, -1], [-1, 1], [1, 1]])  # column, row of a grid of two by two
            tokens = tokens + fusion.positions[name].map(places)
        projected[name] = fusion.maps[name](tokens)
    return {
        name: decode(
            transformer.decoder,
            projected[name],
            encode(transformer.encoder, torch.cat([x for other, x in projected.items() if other != name])),
        )
        for name, transformer in fusion.transformers.items()
    }


@pytest.mark.parametrize("names", [("image", "text"), ("image", "text", "tags")])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("gradients", [True, False])
def test_it_is_the_plain_reference(names, left, gradients):
    """Without gradients torch takes other, faster code."""
    fusion, encoded = build(names), rows(left=left)
    with torch.set_grad_enabled(gradients):
        branches = fusion(encoded)
    assert set(branches) == set(names)
    for row in range(3):
        for name, expected in reference(fusion, encoded, row).items():
            mask = encoded[name].mask
            assert torch.equal(branches[name].mask, mask)
            assert torch.allclose(branches[name].tokens[row][mask[row]], expected, atol=1e-5)
            assert torch.allclose(branches[name].pooled[row], expected[0], atol=1e-5)


def test_without_a_grid_places_say_nothing():
    assert list(build(grid=[]).positions) == []
    with_places, encoded = build(), rows()
    turned = encoded["image"].tokens[:, [3, 2, 1, 0, 4]]
    moved = {**encoded, "image": encoded["image"]._replace(tokens=turned)}
    # Rows of four places; what the words read of the picture hangs on the order only by the places' code.
    first, second = (with_places(e)["text"].pooled[:2] for e in (encoded, moved))
    assert not torch.allclose(first, second, atol=1e-3)
    without = build(grid=[])
    first, second = (without(e)["text"].pooled[:2] for e in (encoded, moved))
    assert torch.allclose(first, second, atol=1e-5)


def test_the_answer_is_the_logit_of_the_mean_probability():
    z = {"image": torch.tensor([[-3.0, 1e4, 1e4]]), "text": torch.tensor([[1.0, -1e4, 1e4]])}
    mixed = build().combine(z)
    p = (1 / (1 + math.exp(3)) + 1 / (1 + math.exp(-1))) / 2
    assert mixed[0].tolist() == pytest.approx([math.log(p / (1 - p)), 0.0, 1e4], abs=1e-6)


def test_each_direction_and_layer_starts_from_numbers_of_its_own():
    torch.manual_seed(0)
    fusion = FUSIONS.build("dvtt", {"layers": 2}, {"image": Width(3, 3), "text": Width(3, 3)})
    matrices = [p for name, p in fusion.transformers.named_parameters() if p.ndim > 1]
    alike = [(a.shape, b.shape) for a in matrices for b in matrices if a is not b and a.shape == b.shape and a.equal(b)]
    assert alike == []


def test_the_sources_own_sizes_can_be_built():
    source = {"dim": 1024, "layers": 4, "heads": 4, "feedforward": 1024, "dropout": 0.1}
    with torch.device("meta"):
        fusion = FUSIONS.build("dvtt", source, {"image": Width(2048, 2048), "text": Width(768, 768)})
    assert fusion.transformers["text"].encoder.layers[3].self_attn.num_heads == 4
    # A layer of Enc 6.3 million, of Dec 10.5 million parameters; four of each, in two directions.
    assert sum(p.numel() for p in fusion.transformers.parameters()) == pytest.approx(134.3e6, rel=0.01)


def test_wrong_options_are_refused():
    with pytest.raises(ConfigError, match=r"option 'dim' = 6: must be a multiple of 'heads' = 4"):
        build(heads=4)
    with pytest.raises(ConfigError, match=r"option 'grid' = 'photo': no encoder has that name\. Accepted: image, text"):
        build(grid=["photo"])

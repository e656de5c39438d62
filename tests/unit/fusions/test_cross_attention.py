"""Cross-attention by hand, and against loops that follow the formula."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.types import Encoded, Width

WIDTHS = {"image": Width(5, 3), "text": Width(4, 2), "tags": Width(6, 6)}


def rows(lengths=None):
    """Three rows; `lengths` by encoder, the rest padding that shouts."""
    generator = torch.Generator().manual_seed(0)
    lengths = lengths or {"image": [4, 4, 1], "text": [3, 1, 2], "tags": [1, 2, 2]}
    result = {}
    for name, width in WIDTHS.items():
        longest = max(lengths[name])
        mask = torch.arange(longest) < torch.tensor(lengths[name]).unsqueeze(1)
        tokens = torch.randn(3, longest, width.tokens, generator=generator)
        tokens[~mask] = 1e3
        result[name] = Encoded(torch.randn(3, width.pooled, generator=generator), tokens, mask)
    return result


def layer_norm(values):
    mean = sum(values) / len(values)
    variance = sum((v - mean) ** 2 for v in values) / len(values)
    return [(v - mean) / math.sqrt(variance + 1e-5) for v in values]


def answer(fusion, asking, encoded, row):
    """LN(softmax(Q K' / sqrt(d)) V + W_r t) for one asking vector, token by token."""
    query = fusion.ask(asking)
    scores, values = [], []
    for name in fusion.keys:
        for token, real in zip(encoded[name].tokens[row], encoded[name].mask[row], strict=True):
            if real:
                scores.append(math.exp((fusion.keys[name].weight @ token @ query).item() / math.sqrt(len(query))))
                values.append(fusion.values[name](token).tolist())
    residual = fusion.residual(asking).tolist()
    seen = [
        sum(score * value[i] for score, value in zip(scores, values, strict=True)) / sum(scores)
        for i in range(len(residual))
    ]
    return layer_norm([s + r for s, r in zip(seen, residual, strict=True)])


def build(name="cross_attention", widths=("image", "text"), **options):
    torch.manual_seed(1)
    return FUSIONS.build(name, {"size": 4, **options}, {key: WIDTHS[key] for key in widths}).eval()


def test_by_hand():
    fusion = FUSIONS.build("cross_attention", {"size": 2}, {"image": Width(1, 1), "text": Width(1, 1)})
    fusion.norm = torch.nn.Identity()
    for linear, weight, bias in (
        (fusion.ask, [[math.sqrt(2)], [0.0]], [0.0, 0.0]),
        (fusion.values["image"], [[1.0], [0.0]], [0.0, 10.0]),
        (fusion.residual, [[0.0], [1.0]], [0.0, 0.5]),
    ):
        linear.weight.data, linear.bias.data = torch.tensor(weight), torch.tensor(bias)
    fusion.keys["image"].weight.data = torch.tensor([[1.0], [7.0]])
    tokens = torch.tensor([[[0.0], [math.log(3)]]]).expand(2, 2, 1)
    image = Encoded(torch.zeros(2, 1), tokens, torch.tensor([[True, True], [True, False]]))
    text = Encoded(torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1, 1), torch.ones(2, 1, dtype=torch.bool))
    # Scores 0 and log 3: one and three quarters. In the second row there is the first token alone.
    expected = [[0.75 * math.log(3), 11.5], [0.0, 12.5]]
    found = fusion({"image": image, "text": text})["cross"]
    assert found.tokens is None
    for row in range(2):
        assert found.pooled[row].tolist() == pytest.approx(expected[row], abs=1e-6)


@pytest.mark.parametrize("widths", [("image", "text"), ("image", "text", "tags")])
@pytest.mark.parametrize("query", ["text", "image"])
def test_a_vector_asks(widths, query):
    fusion, encoded = build(widths=widths, query=query), rows()
    out = fusion(encoded)["cross"]
    for row in range(3):
        expected = answer(fusion, encoded[query].pooled[row], encoded, row)
        assert out.pooled[row].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("widths", [("image", "text"), ("image", "text", "tags")])
def test_each_token_asks_and_is_handed_on(widths):
    fusion, encoded = build(widths=widths, asks="tokens"), rows()
    out = fusion(encoded)["cross"]
    assert fusion.branches["cross"] == Width(4, 4)
    assert torch.equal(out.mask, encoded["text"].mask)
    for row, count in enumerate(out.mask.sum(1)):
        expected = [answer(fusion, token, encoded, row) for token in encoded["text"].tokens[row, :count]]
        assert torch.allclose(out.tokens[row, :count], torch.tensor(expected), atol=1e-5)
        assert torch.allclose(out.pooled[row], torch.tensor(expected).mean(0), atol=1e-5)


def test_simple_cross_adds_the_simple_pathway():
    fusion, encoded = build("simple_cross"), rows()
    assert fusion.branches == {"image": WIDTHS["image"], "text": WIDTHS["text"], "cross": Width(4)}
    heads = {name: HEADS.build("linear", {}, width, 2) for name, width in fusion.branches.items()}
    branches = fusion(encoded)
    found = fusion.combine({name: head(branches[name]) for name, head in heads.items()})
    for row in range(3):
        cross = torch.tensor(answer(fusion.cross, encoded["text"].pooled[row], encoded, row))
        simple = sum(heads[name].out(encoded[name].pooled[row]) for name in ("image", "text"))
        assert torch.allclose(found[row], simple + heads["cross"].out(cross), atol=1e-5)


def test_wrong_names_are_refused():
    for name in ("cross_attention", "simple_cross"):
        with pytest.raises(
            ConfigError,
            match=rf"'{name}', option 'query' = 'caption': no encoder has that name\. Accepted: image, text\. "
            rf"Fix: --set fusion\.query=image",
        ):
            build(name, query="caption")
    with pytest.raises(ConfigError, match="'simple_cross' keeps the name 'cross' for itself"):
        FUSIONS.build("simple_cross", {}, {"cross": Width(2, 2), "text": Width(2, 2)})


def test_tokens_that_do_not_come_are_missed():
    with pytest.raises(ValueError, match="reads tokens, and was handed none"):
        build()({name: Encoded(e.pooled) for name, e in rows().items()})

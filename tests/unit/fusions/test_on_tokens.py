"""Fusions laid on the tokens of the text: each token beside the picture."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.fusions.on_tokens import OnTokens
from multitag.types import Encoded, Width

WIDTHS = {"image": Width(3, 5), "text": Width(4, 2)}
CASES: dict[str, dict[str, Any]] = {
    "concat": {},
    "sum": {},
    "mixed": {},
    "weighted": {"weights": [0.3, 0.7]},
    "gated": {"size": 3},
    "film": {"size": 3},
    "bilinear": {"size": 3},
    "cross_attention": {"size": 6, "asks": "tokens"},
    "simple_cross": {"size": 6, "asks": "tokens"},
    "dvtt": {"dim": 4, "heads": 2, "feedforward": 5},
}


def build(name: str) -> OnTokens:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return OnTokens(WIDTHS, name, CASES[name], "text").eval()


def encoded(lengths: tuple[int, ...] = (4, 1, 2), seed: int = 1) -> dict[str, Encoded]:
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for name, width in WIDTHS.items():
        size = (len(lengths), max(lengths)) if name == "text" else (len(lengths), 4)
        mask = torch.arange(size[1]) < torch.tensor(lengths if name == "text" else [4] * len(lengths)).unsqueeze(1)
        tokens = torch.randn(*size, width.tokens, generator=generator) * mask.unsqueeze(-1)
        result[name] = Encoded(torch.randn(len(lengths), width.pooled, generator=generator), tokens, mask)
    return result


def test_every_fusion_of_several_encoders_is_here():
    assert set(CASES) == set(FUSIONS.names()) - {"single"}


def test_concat_puts_the_picture_beside_each_token():
    rows = {
        "image": Encoded(torch.tensor([[1.0, 2.0, 3.0]])),
        "text": Encoded(
            torch.full((1, 4), 9.0),
            torch.tensor([[[5.0, 6.0], [7.0, 8.0], [0.5, 0.5]]]),
            torch.tensor([[True, True, False]]),
        ),
    }
    found = build("concat")(rows)["joined"]
    assert found.tokens.tolist() == [[[1, 2, 3, 5, 6], [1, 2, 3, 7, 8], [0, 0, 0, 0, 0]]]
    assert found.mask.tolist() == [[True, True, False]]
    assert found.pooled.tolist() == [[1, 2, 3, 6, 7]]


def test_sum_says_of_the_picture_the_same_for_each_token():
    rows = encoded()
    found = build("sum")(rows)
    mask = rows["text"].mask
    assert torch.equal(found["text"].tokens[mask], rows["text"].tokens[mask])
    for row in range(3):
        assert (found["image"].tokens[row][mask[row]] == rows["image"].pooled[row]).all()


@pytest.mark.parametrize("name", [name for name in CASES if FUSIONS.get(name).needs == "pooled"])
def test_a_token_is_fused_as_if_it_were_the_text(name):
    """One at a time, by the fusion itself."""
    fusion, rows = build(name), encoded()
    found = fusion(rows)
    for row, token in rows["text"].mask.nonzero().tolist():
        alone = {
            "image": Encoded(rows["image"].pooled[row : row + 1]),
            "text": Encoded(rows["text"].tokens[row, token].unsqueeze(0)),
        }
        for branch, expected in fusion.fusion(alone).items():
            assert torch.allclose(found[branch].tokens[row, token], expected.pooled[0], atol=1e-6)


@pytest.mark.parametrize("name", [name for name in CASES if FUSIONS.get(name).needs == "tokens"])
def test_of_a_fusion_of_tokens_the_branches_of_the_text_stay(name):
    fusion, rows = build(name), encoded()
    found, own = fusion(rows), fusion.fusion(rows)
    mask = rows["text"].mask
    kept = [branch for branch in own if fusion.fusion.source(branch) == "text"]
    assert kept
    for branch, each in own.items():
        if branch in kept:
            assert torch.equal(found[branch].tokens, each.tokens)
        else:
            assert (found[branch].tokens[0] == each.pooled[0]).all()
            assert torch.equal(found[branch].mask, mask)


@pytest.mark.parametrize("name", CASES)
def test_branches_are_as_announced_and_have_the_texts_tokens(name):
    fusion, rows = build(name), encoded()
    found = fusion(rows)
    assert set(found) == set(fusion.branches)
    for branch, width in fusion.branches.items():
        assert found[branch].tokens.shape == (3, 4, width.tokens)
        assert found[branch].pooled.shape == (3, width.pooled)
        assert torch.equal(found[branch].mask, rows["text"].mask)
        assert fusion.source(branch) == "text"


@pytest.mark.parametrize("name", CASES)
def test_neither_padding_nor_company_changes_a_token(name):
    fusion, rows = build(name), encoded()
    found = fusion(rows)
    text = rows["text"]
    longer = Encoded(
        text.pooled,
        torch.cat([torch.where(text.mask.unsqueeze(-1), text.tokens, 7.0), torch.full((3, 2, 2), 8.0)], 1),
        torch.cat([text.mask, torch.zeros(3, 2, dtype=torch.bool)], 1),
    )
    padded = fusion({**rows, "text": longer})
    for branch, each in found.items():
        assert torch.allclose(padded[branch].tokens[padded[branch].mask], each.tokens[each.mask], atol=1e-6)
        assert torch.allclose(padded[branch].pooled, each.pooled, atol=1e-6)
        for row in range(3):
            alone = fusion({key: Encoded(*(part[row : row + 1] for part in e)) for key, e in rows.items()})[branch]
            assert torch.allclose(alone.tokens[0], each.tokens[row], atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_the_picture_reaches_every_token(name):
    fusion, rows = build(name), encoded()
    picture = rows["image"]
    other = {**rows, "image": Encoded(picture.pooled + 1, picture.tokens + torch.randn(4, 5), picture.mask)}
    moved = torch.zeros(3, 4, dtype=torch.bool)
    for branch, each in fusion(rows).items():
        moved |= (fusion(other)[branch].tokens - each.tokens).abs().amax(-1) > 1e-7
    assert torch.equal(moved, rows["text"].mask) or moved[rows["text"].mask].all()


@pytest.mark.parametrize("options", [{"asks": "vector"}, {"asks": "tokens", "query": "image"}])
def test_cross_attention_must_hand_on_the_texts_tokens(options):
    with pytest.raises(ConfigError, match=r"does not hand on the tokens of 'text'.*fusion\.query=text"):
        OnTokens(WIDTHS, "cross_attention", options, "text")


def test_simple_cross_serves_where_the_vector_asks():
    fusion = OnTokens(WIDTHS, "simple_cross", {"size": 6}, "text")
    found = fusion(encoded())
    assert found["text"].tokens.shape == (3, 4, 2)
    assert (found["cross"].tokens[0] == found["cross"].pooled[0]).all()


def test_logits_of_branches_meet_as_the_fusion_says():
    fusion = build("weighted")
    image, text = torch.tensor([0.5]), torch.tensor([-1.0])
    expected = 0.3 * image.sigmoid() + 0.7 * text.sigmoid()
    assert torch.allclose(fusion.combine({"image": image, "text": text}).sigmoid(), expected)

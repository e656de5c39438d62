"""Texts of like length run together in the upper part of an encoder: whatever they are with, they say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from multitag.encoders import ENCODERS
from multitag.encoders.transformers_lower import _like_lengths
from multitag.encoders.transformers_text import TransformersText


def mask_of(lengths: list[int]) -> torch.Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


def test_groups_are_of_like_length() -> None:
    lengths = [9, 2, 3, 30] * 16
    groups = _like_lengths(mask_of(lengths))
    assert [longest for _, longest in groups] == [2, 3, 9, 30]
    assert sorted(place for rows, _ in groups for place in rows.tolist()) == list(range(64))
    for rows, longest in groups:
        assert {lengths[place] for place in rows.tolist()} == {longest}


@pytest.mark.parametrize("lengths", [[9, 2] * 15, [9] * 64, [9] * 60 + [8] * 4, [0] * 40 + [1]])
def test_there_is_one_group_where_it_spares_little(lengths: list[int]) -> None:
    ((rows, longest),) = _like_lengths(mask_of(lengths))
    assert rows.tolist() == list(range(len(lengths)))
    assert longest == max(lengths)


@pytest.mark.parametrize("pooling", ["layers", "mean", "first", "pooler"])
def test_each_text_says_what_it_does_alone(pooling: str, models: dict[str, Path]) -> None:
    options = {"model": str(models["bert"]), "first_trained": 1, "pooling": pooling}
    encoder = ENCODERS.build("transformers_text", options)
    assert isinstance(encoder, TransformersText)
    encoder.load()
    encoder.eval()
    draw = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 17, (50,), generator=draw).tolist()
    width = encoder.token_width
    assert width is not None
    states = torch.randn((50, max(lengths), width), generator=draw).requires_grad_()
    inputs = {"states": states, "mask": mask_of(lengths), "pooled": torch.randn((50, 2 * width), generator=draw)}
    assert len(_like_lengths(inputs["mask"])) == 3
    together = encoder(inputs, tokens=True)
    together.pooled.square().sum().backward()
    grad, states.grad = states.grad, None
    assert grad is not None
    for row, length in enumerate(lengths):
        one = {"states": states[row : row + 1, :length], "mask": inputs["mask"][row : row + 1, :length]}
        alone = encoder({**one, "pooled": inputs["pooled"][row : row + 1]}, tokens=True)
        assert torch.allclose(together.pooled[row], alone.pooled[0], rtol=0, atol=1e-5)
        assert torch.allclose(together.tokens[row, :length], alone.tokens[0], rtol=0, atol=1e-5)
        alone.pooled.square().sum().backward()
    assert states.grad is not None
    assert torch.allclose(grad, states.grad, rtol=1e-4, atol=1e-5)

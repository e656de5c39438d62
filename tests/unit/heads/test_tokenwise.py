"""A head on every token is the head on each token alone, whatever stands at padding."""

from __future__ import annotations

import pytest
import torch

from multitag.errors import ConfigError
from multitag.heads import HEADS
from multitag.heads.tokenwise import Tokenwise
from multitag.types import Encoded, Width

POOLED = [name for name in HEADS.names() if HEADS.get(name).needs == "pooled"]


def batch(padding: float = 0.0) -> Encoded:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(3, 5, 8, generator=generator)
    mask = torch.arange(5) < torch.tensor([[5], [2], [1]])
    return Encoded(torch.randn(3, 4), torch.where(mask[..., None], tokens, padding), mask)


@pytest.mark.parametrize("name", POOLED)
def test_each_token_is_a_row_of_its_own(name):
    torch.manual_seed(0)
    head = HEADS.build(name, {}, Width(8), 3).eval()
    given = batch()
    found = Tokenwise(head)(given)
    assert found.shape == (3, 5, 3)
    for row in range(3):
        for token in range(5):
            alone = head(Encoded(given.tokens[row, token][None]))[0]
            expected = alone if given.mask[row, token] else torch.zeros(3)
            torch.testing.assert_close(found[row, token], expected)


def test_padding_reaches_no_statistics_and_no_gradient():
    results = []
    for padding in (0.0, 1e6):
        torch.manual_seed(0)
        head = HEADS.build("mlp", {"norm": "batch", "dropout": 0.0, "input_dropout": 0.0}, Width(8), 3)
        Tokenwise(head).train()(batch(padding)).square().sum().backward()
        results.append([weight.grad for weight in head.parameters()] + list(head.buffers()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_without_tokens_it_says_so():
    head = HEADS.build("linear", {}, Width(8), 3)
    with pytest.raises(ConfigError, match="tokens"):
        Tokenwise(head)(Encoded(torch.zeros(2, 8)))

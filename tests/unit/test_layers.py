"""The torch blocks that rooms share, computed by hand."""

from __future__ import annotations

import pytest
import torch

from multitag.layers import Dropout, MissingModality, Standardize, masked_mean
from multitag.types import Encoded


def test_masked_mean_leaves_padding_out():
    tokens = torch.tensor([[[1.0, 10.0], [3.0, 30.0], [99.0, 99.0]], [[5.0, 6.0], [7.0, 7.0], [8.0, 8.0]]])
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert masked_mean(tokens, mask).tolist() == [[2.0, 20.0], [5.0, 6.0]]
    assert masked_mean(tokens, torch.zeros(2, 3, dtype=torch.bool)).tolist() == [[0.0, 0.0]] * 2


def test_standardize_gives_mean_zero_and_deviation_one():
    torch.manual_seed(0)
    rows = torch.randn(200, 3) * torch.tensor([0.01, 1.0, 300.0]) + torch.tensor([5.0, -1.0, 1000.0])
    block = Standardize(3)
    assert torch.equal(block(rows), rows)
    deviation, mean = torch.std_mean(rows, dim=0, correction=0)
    block.fit(mean, deviation)
    deviation, mean = torch.std_mean(block(rows), dim=0, correction=0)
    assert mean.tolist() == pytest.approx([0, 0, 0], abs=1e-4)
    assert deviation.tolist() == pytest.approx([1, 1, 1], rel=1e-3)
    assert block(rows.unsqueeze(1)).shape == (200, 1, 3)


def test_a_feature_that_never_varies_becomes_zero():
    block = Standardize(2)
    block.fit(torch.tensor([7.0, 1.0]), torch.tensor([0.0, 2.0]))
    assert block(torch.tensor([[7.0, 5.0], [8.0, 1.0]])).tolist() == [[0.0, 2.0], [0.0, 0.0]]


def test_statistics_are_saved_and_not_trained():
    block = Standardize(2)
    assert set(block.state_dict()) == {"mean", "scale"}
    assert list(block.parameters()) == []


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_standardised_in_half_precision_as_in_full(kind: torch.dtype) -> None:
    """Means far from 0 are where it would show: rounded to half precision, 30.1 is .1 of a deviation off."""
    torch.manual_seed(0)
    block = Standardize(3)
    block.fit(torch.tensor([30.1, -7.0, 2.0]), torch.tensor([0.5, 2.0, 0.0]))
    values = (torch.randn(2, 5, 3) * 2 + torch.tensor([30.1, -7.0, 2.0])).to(kind).requires_grad_()
    found, expected = block(values), block(values.detach().float())
    assert found.dtype == kind
    torch.testing.assert_close(found, expected.to(kind))
    assert (found[..., 2] == 0).all()
    found.float().sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad[0, 0].float(), torch.tensor([2.0, 0.5, 0.0]))


def test_a_missing_row_gets_the_learned_vector_and_one_token():
    block = MissingModality(2, 3)
    block.pooled.data = torch.tensor([7.0, 8.0])
    block.token.data = torch.tensor([1.0, 2.0, 3.0])
    nan = float("nan")
    encoded = Encoded(
        torch.tensor([[1.0, 2.0], [nan, nan]]),
        torch.stack([torch.zeros(2, 3), torch.full((2, 3), nan)]),
        torch.tensor([[True, True], [False, False]]),
    )
    pooled, tokens, mask = block(encoded, torch.tensor([True, False]))
    assert pooled.tolist() == [[1.0, 2.0], [7.0, 8.0]]
    assert mask.tolist() == [[True, True], [True, False]]
    assert tokens[1, 0].tolist() == [1.0, 2.0, 3.0]
    assert tokens.isfinite().all()
    (pooled.sum() + tokens[mask].sum()).backward()
    assert block.pooled.grad.tolist() == [1.0, 1.0]
    assert block.token.grad.tolist() == [1.0, 1.0, 1.0]


def test_without_tokens_there_is_no_token_to_learn():
    block = MissingModality(2, None)
    assert [name for name, _ in block.named_parameters()] == ["pooled"]
    assert block(Encoded(torch.ones(1, 2)), torch.tensor([False])).tokens is None


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_its_share_everywhere_and_keeps_the_mean(share, dtype):
    torch.manual_seed(0)
    values = torch.ones(4000, 101, dtype=dtype)  # of a number of elements that four does not divide
    dropped = Dropout(share)(values)
    assert dropped.shape == values.shape
    assert dropped.dtype == dtype
    kept = (dropped != 0).double()
    assert kept.mean().item() == pytest.approx(1 - share, abs=0.003)
    assert (kept.mean(0) - (1 - share)).abs().max() < 0.04
    assert dropped.float().unique().tolist() == pytest.approx([0.0, 1 / (1 - share)], rel=0.01)
    neighbours = torch.corrcoef(torch.stack([kept.flatten()[:-1], kept.flatten()[1:]]))[0, 1]
    assert abs(neighbours.item()) < 0.01


def test_dropout_follows_the_seed_and_its_gradient_is_what_was_kept():
    layer, values = Dropout(0.5), torch.randn(8, 7, requires_grad=True)
    torch.manual_seed(3)
    first = layer(values)
    second = layer(values)
    torch.manual_seed(3)
    assert torch.equal(layer(values), first)
    assert not torch.equal(first, second)
    first.sum().backward()
    assert torch.equal(values.grad, 2.0 * (first != 0))


def test_a_share_of_nearly_all_drops_nearly_all():
    """1 - 2**-18 is rounded to a share that 16 bits can say, not to one that keeps everything."""
    torch.manual_seed(0)
    assert (Dropout(1 - 2**-18)(torch.ones(200, 200)) != 0).float().mean() < 0.001


def test_dropout_is_for_training_and_for_a_share():
    values = torch.randn(3, 2)
    assert Dropout(0.5).eval()(values) is values
    assert Dropout(0.0)(values) is values

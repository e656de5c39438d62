"""What holds for every registered loss. A new one with options of its own may add a line to `OPTIONS`."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from multitag.losses import LOSSES

OPTIONS: dict[str, list[dict[str, Any]]] = {name: [{"smoothing": 0.1}] for name in LOSSES.names()}
"""Options to test beside the defaults."""
CASES = [(name, options) for name in LOSSES.names() for options in [{}, *OPTIONS.get(name, [])]]
NAN = float("nan")


def test_no_options_are_listed_for_a_loss_that_is_gone():
    assert set(OPTIONS) <= set(LOSSES.names())


@pytest.fixture(params=CASES, ids=str)
def loss(request):
    return LOSSES.build(*request.param)


def data(shape=(6, 4), *, unknown=0.25, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(shape, generator=generator)
    targets = (torch.rand(shape, generator=generator) < 0.4).float()
    targets[torch.rand(shape, generator=generator) < unknown] = NAN
    assert 0 < targets.isnan().sum() < targets.numel() or not unknown
    return logits, targets


def graded(loss, logits, targets):
    logits = logits.clone().requires_grad_()
    value = loss(logits, targets)
    value.backward()
    return value.detach(), logits.grad


def test_it_is_one_finite_positive_number(loss):
    value = loss(*data())
    assert value.shape == ()
    assert 0 < value < 100


def test_doubling_the_batch_changes_nothing(loss):
    logits, targets = data()
    assert loss(torch.cat([logits] * 2), torch.cat([targets] * 2)) == pytest.approx(loss(logits, targets).item())


def test_it_is_the_mean_over_known_elements_not_over_rows(loss):
    """Rows with many unknown labels weigh less than whole rows."""
    logits, targets = data((8, 5))
    known = (~targets.isnan()).sum(1)
    assert len(known.unique()) > 1
    parts = torch.stack([loss(logits[row : row + 1], targets[row : row + 1]) for row in range(8)])
    assert loss(logits, targets) == pytest.approx(((parts * known).sum() / known.sum()).item(), rel=1e-5)


@pytest.mark.parametrize("garbage", [0.0, 1e4, float("inf"), -float("inf"), NAN])
def test_unknown_elements_change_nothing_whatever_their_logits(loss, garbage):
    logits, targets = data(unknown=0)
    value, gradient = graded(loss, logits, targets)
    rows = torch.cat([logits, torch.full((3, 4), garbage)]), torch.cat([targets, torch.full((3, 4), NAN)])
    columns = torch.cat([logits, torch.full((6, 2), garbage)], 1), torch.cat([targets, torch.full((6, 2), NAN)], 1)
    for more in (rows, columns):
        other, other_gradient = graded(loss, *more)
        assert other == pytest.approx(value.item(), rel=1e-6)
        assert torch.allclose(other_gradient[:6, :4], gradient, atol=1e-7)
        assert other_gradient.isfinite().all()
        assert (other_gradient[more[1].isnan()] == 0).all()


def test_tokens_are_as_good_as_rows(loss):
    """(B, T, K), padded tokens NaN, is the same as the real tokens as rows (N, K)."""
    logits, targets = data((3, 4, 5))
    targets[0, 2:] = NAN
    targets[2, 3:] = NAN
    flat = loss(logits.flatten(0, 1), targets.flatten(0, 1))
    assert loss(logits, targets) == pytest.approx(flat.item())
    real = ~targets.isnan().all(-1)
    assert loss(logits[real], targets[real]) == pytest.approx(flat.item())


def test_the_order_of_rows_changes_nothing(loss):
    logits, targets = data()
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert loss(logits[order], targets[order]) == pytest.approx(loss(logits, targets).item())


@pytest.mark.parametrize("shape", [(3, 4), (0, 4), (2, 3, 4)])
def test_nothing_known_is_zero_with_a_gradient_of_zero(loss, shape):
    value, gradient = graded(loss, torch.randn(shape), torch.full(shape, NAN))
    assert value == 0
    assert (gradient == 0).all()


def test_better_answers_cost_less_and_the_gradient_says_so(loss):
    _, targets = data(unknown=0)
    sides = 2 * targets - 1
    costs = [loss(scale * sides, targets).item() for scale in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == 5
    _, gradient = graded(loss, -0.5 * sides, targets)
    assert (gradient * sides < 0).all(), "every logit on the wrong side is pulled to the right one"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [20.0, 1e4])
def test_large_logits_overflow_nowhere(loss, dtype, size):
    targets = torch.tensor([[0.0, 1.0]]).repeat(64, 1)
    for sign in (1.0, -1.0):
        logits = torch.full((64, 2), sign * size, dtype=dtype)
        value, gradient = graded(loss, logits, targets)
        assert value.isfinite()
        assert gradient.isfinite().all()
        assert gradient.dtype == dtype


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_costs_no_more_than_its_rounding(loss, dtype):
    logits, targets = data((200, 50))
    logits = logits.to(dtype)
    assert loss(logits, targets) == pytest.approx(loss(logits.float(), targets).item(), rel=5e-3)


def test_inputs_are_left_as_they_are(loss):
    logits, targets = data()
    kept = logits.clone(), targets.clone()
    loss(logits, targets)
    assert torch.equal(logits, kept[0])
    assert torch.equal(targets.isnan(), kept[1].isnan())


def test_gradients_stay_off_where_they_are_off(loss):
    """A loss that switches them on would fill the memory while predicting."""
    logits, targets = data()
    with torch.no_grad():
        assert not loss(logits.requires_grad_(), targets).requires_grad
        assert not torch.is_grad_enabled()

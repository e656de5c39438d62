"""What holds for every registered loss. A new one with options of its own may add a line to `OPTIONS`.

`Loss.unit` says what a loss is a mean of. Two tests ask for more of a mean over elements or rows than of a loss that
joins the rows of a batch, and one asks that only the latter is called so.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from multitag.errors import ConfigError, NotFittedError
from multitag.losses import LOSSES

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "weighted_bce": [{"positive": 0.3, "negative": 2.5}],
    "class_weighted_bce": [{"form": "log"}, {"form": "at_least_one", "mu": 2.0}],
    "focal": [
        {"gamma": 0.0},
        {"gamma": 0.5},  # a plain power has an infinite gradient at p = 1
        {"alpha": 1.2, "alpha_mode": "positive"},
        {"alpha": 1.2, "alpha_mode": "scale", "smoothing": 0.1},
    ],
    "asymmetric": [
        {"gamma_negative": 0.0, "gamma_positive": 0.0, "margin": 0.0},
        {"gamma_positive": 0.0, "gamma_negative": 0.5},
    ],
    "two_way": [{"positive_temperature": 1.0}, {"positive_temperature": 0.5, "negative_temperature": 3.0}],
    "hill": [{"lam": 2.0, "margin": 0.5, "gamma": 0.5}, {"margin": 0.0, "gamma": 0.0}],
    "distribution_balanced": [{"gamma": 2.0}, {"kappa": 1.0, "lam": 5.0, "mu": 0.3}],
}
"""Options to test beside the defaults, and beside label smoothing, which is tested for every loss that has it."""
SMOOTHED = [name for name in LOSSES.names() if "smoothing" in LOSSES.options(name)]
CASES = [
    (name, options)
    for name in LOSSES.names()
    for options in [{}, *([{"smoothing": 0.1}] if name in SMOOTHED else []), *OPTIONS.get(name, [])]
]
NAN = float("nan")


def training(labels):
    """Targets to fit on, (210, K): label k in one row of k + 2, unknown in some. More labels leave the first alike."""
    rows, k = torch.arange(210).unsqueeze(1), torch.arange(labels)
    targets = (rows % (k + 2) == 0).float()
    targets[(rows + k) % 7 == 3] = NAN
    return targets


class Fitted:
    """A loss that has seen training targets of as many labels as it is asked about."""

    def __init__(self, loss):
        self.loss, self.unit = loss, loss.unit

    def __call__(self, logits, targets, *weights):
        self.loss.fit(training(logits.shape[-1]))
        return self.loss(logits, targets, *weights)


def test_no_options_are_listed_for_a_loss_that_is_gone():
    assert set(OPTIONS) <= set(LOSSES.names())


@pytest.fixture(params=CASES, ids=str)
def loss(request):
    return Fitted(LOSSES.build(*request.param))


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


def test_doubling_the_batch_changes_nothing_unless_its_rows_are_joined(loss):
    """Of a loss that says it joins rows it must be seen that it does: otherwise it says so to be asked for less."""
    logits, targets = data()
    once, twice = loss(logits, targets).item(), loss(torch.cat([logits] * 2), torch.cat([targets] * 2)).item()
    if loss.unit == "batch":
        assert twice != pytest.approx(once, rel=1e-3)
        assert twice == pytest.approx(once, rel=1), "all the same no sum over rows"
    else:
        assert twice == pytest.approx(once)


def test_it_is_the_mean_over_what_it_says(loss):
    """Elements: rows with many unknown labels weigh less than whole rows. Rows: each weighs the same."""
    logits, targets = data((8, 5))
    targets[6] = NAN
    known = (~targets.isnan()).sum(1)
    assert len(known.unique()) > 2
    parts = torch.stack([loss(logits[row : row + 1], targets[row : row + 1]) for row in range(8)])
    sizes = torch.stack([loss.loss.size(targets[row : row + 1]) for row in range(8)])
    assert loss.loss.size(targets) == sizes.sum()
    if loss.unit != "batch":
        assert sizes.tolist() == (known if loss.unit == "element" else known > 0).int().tolist()
        assert loss(logits, targets) == pytest.approx(((parts * sizes).sum() / sizes.sum()).item(), rel=1e-5)


@pytest.fixture
def weighable(loss):
    if loss.unit == "batch":
        with pytest.raises(ConfigError, match="cannot weigh"):
            loss(*data(), torch.ones(6))
        pytest.skip("it joins the rows of a batch, and says that it cannot weigh them")
    return loss


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4)])
def test_rows_of_weight_one_are_rows_without_weights_bit_for_bit(weighable, shape):
    logits, targets = data(shape)
    targets[4] = NAN
    value, gradient = graded(weighable, logits, targets)
    weighed, its_gradient = graded(lambda z, y: weighable(z, y, torch.ones(6)), logits, targets)
    assert torch.equal(weighed, value)
    assert torch.equal(its_gradient, gradient)
    assert weighable.loss.size(targets, torch.ones(6)) == weighable.loss.size(targets)


@pytest.mark.parametrize("shape", [(6, 4), (6, 3, 4)])
def test_a_row_of_weight_two_is_there_twice_and_one_of_weight_zero_is_not(weighable, shape):
    logits, targets = data(shape)
    weights = torch.tensor([1.0, 2.0, 0.0, 1.0, 1.0, 3.0])
    places = torch.tensor([0, 1, 1, 3, 4, 5, 5, 5])
    assert weighable(logits, targets, weights).item() == pytest.approx(
        weighable(logits[places], targets[places]).item(), rel=1e-6
    )
    assert weighable.loss.size(targets, weights) == weighable.loss.size(targets[places])
    garbage = logits.clone()
    garbage[2] = 1e4
    value, gradient = graded(lambda z, y: weighable(z, y, weights), garbage, targets)
    assert value == weighable(logits, targets, weights)
    assert (gradient[2] == 0).all()


def test_weights_scale_nothing_and_unknown_elements_stay_out(weighable):
    logits, targets = data()
    weights = torch.tensor([0.5, 1.0, 0.25, 1.0, 0.5, 2.0])
    value = weighable(logits, targets, weights)
    assert weighable(logits, targets, 0.1 * weights).item() == pytest.approx(value.item(), rel=1e-5)
    more = torch.cat([logits, torch.full((3, 4), float("inf"))]), torch.cat([targets, torch.full((3, 4), NAN)])
    padded, gradient = graded(lambda z, y: weighable(z, y, torch.cat([weights, torch.ones(3)])), *more)
    assert padded.item() == pytest.approx(value.item(), rel=1e-6)
    assert gradient.isfinite().all()
    nothing, gradient = graded(lambda z, y: weighable(z, y, torch.zeros(6)), logits, targets)
    assert nothing == 0
    assert (gradient == 0).all()


def test_parts_of_a_weighed_batch_join_to_the_whole(weighable):
    """As several processes do, each with its part: means weighed by what they are of."""
    logits, targets = data((8, 5))
    weights = torch.tensor([0.5, 1.0, 0.25, 1.0, 0.5, 2.0, 1.0, 0.1])
    parts = [torch.arange(0, 3), torch.arange(3, 8)]
    means = torch.stack([weighable(logits[part], targets[part], weights[part]) for part in parts])
    sizes = torch.stack([weighable.loss.size(targets[part], weights[part]) for part in parts])
    assert weighable(logits, targets, weights).item() == pytest.approx(
        ((means * sizes).sum() / sizes.sum()).item(), rel=1e-5
    )


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
    # Label smoothing moves what is best from infinity to logit(.95) = 2.9 of BCE; where sure answers weigh less
    # (focal, asymmetric), or sums join the labels (ZLPR: half of 2.9), to less.
    name = type(loss.loss).__name__
    reach = 0.7 if name in ("Focal", "Asymmetric", "ZLPR") and loss.loss.smoothing else 2.0
    costs = [loss(scale * reach * sides, targets).item() for scale in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) == 5
    _, gradient = graded(loss, -0.5 * sides, targets)
    assert (gradient * sides < 0).all(), "every logit on the wrong side is pulled to the right one"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("size", [20.0, 100.0, 1e4])
def test_large_logits_overflow_nowhere(loss, dtype, size):
    """All of one sign, all right, all wrong, and mixed; rows with every label, none, and none known among them."""
    sides = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [NAN, NAN, NAN], [1.0, NAN, 0.0]])
    targets = sides.repeat(12, 1)
    right = 2 * targets.nan_to_num(1.0) - 1
    mixed = torch.tensor([1.0, -1.0, 0.0]).repeat(60)[: targets.numel()].view(-1, 3).roll(1, 0)
    for signs in (torch.ones_like(right), -torch.ones_like(right), right, -right, mixed * right):
        value, gradient = graded(loss, (size * signs).to(dtype), targets)
        assert value.isfinite()
        assert gradient.isfinite().all()
        assert gradient.dtype == dtype
        assert (gradient[targets.isnan()] == 0).all()


def test_a_row_with_every_label_or_none_is_finite(loss):
    for side in (0.0, 1.0):
        value, gradient = graded(loss, torch.tensor([[0.5, -2.0]]), torch.full((1, 2), side))
        assert value.isfinite()
        assert gradient.isfinite().all()


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


def test_gradients_are_those_of_the_value(loss):
    """Against differences of float64 values, but for losses whose weights are left out of the gradient."""
    if type(loss.loss).__name__ == "Asymmetric":
        pytest.skip("its focusing weights have no gradient; see its own tests")
    logits, targets = data((5, 4))
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), logits.double().requires_grad_(), atol=1e-4, rtol=1e-4)


def test_fitting_on_the_same_targets_gives_the_same_loss(loss):
    """As a resumed training does."""
    logits, targets = data()
    first = loss(logits, targets)
    assert torch.equal(loss(logits, targets), first)
    kept = {name: buffer.clone() for name, buffer in loss.loss.named_buffers()}
    loss.loss.fit(training(4)[torch.randperm(210, generator=torch.Generator().manual_seed(0))])
    for name, buffer in loss.loss.named_buffers():
        assert torch.equal(buffer, kept[name]), "the order of the rows says nothing"


def test_what_was_learned_moves_and_is_saved_with_the_loss(loss):
    loss.loss.fit(training(4))
    learned = [value for value in vars(loss.loss).values() if isinstance(value, torch.Tensor)]
    assert not learned, "a plain attribute stays behind where a module goes to a GPU: register_buffer"
    assert loss.loss.to("meta").size(torch.zeros(2, 4, device="meta")).device.type == "meta"
    assert all(buffer.device.type == "meta" for buffer in loss.loss.buffers())


@pytest.mark.parametrize("name", LOSSES.names())
def test_a_loss_that_learns_says_so_before_it_has(name):
    """And one that does not may be used at once."""
    loss, (logits, targets) = LOSSES.build(name, {}), data()
    if not list(loss.buffers()):
        assert loss(logits, targets).isfinite()
        return
    with pytest.raises(NotFittedError, match=rf"'{name}'.*loss\.fit\(targets\)"):
        loss(logits, targets)
    loss.fit(training(4))
    assert loss(logits, targets).isfinite()


@pytest.mark.parametrize("odd", [torch.zeros(20, 4), torch.ones(20, 4), torch.full((20, 4), NAN), torch.zeros(0, 4)])
def test_labels_of_no_row_or_every_row_or_unknown_ones_are_no_trouble(loss, odd):
    logits, targets = data()
    loss.loss.fit(odd)
    value, gradient = graded(loss.loss, logits, targets)
    assert 0 <= value < 1000
    assert gradient.isfinite().all()


@pytest.mark.parametrize("name", SMOOTHED)
def test_smoothing_asks_for_less_certainty(name):
    """A very sure answer that is right costs more than without, and a logit further out costs more still."""
    targets = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    plain, smoothed = (Fitted(LOSSES.build(name, options)) for options in ({}, {"smoothing": 0.2}))
    sure, surer = (scale * (2 * targets - 1) for scale in (12.0, 14.0))
    assert plain(surer, targets) <= plain(sure, targets) < 0.01
    assert smoothed(sure, targets) > plain(sure, targets) + 0.01
    assert smoothed(surer, targets) >= smoothed(sure, targets)

"""Asymmetric loss against the paper's formula, its gradient without the focusing weights, and BCE."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.losses.asymmetric import Asymmetric
from multitag.losses.bce import BCE


def reference(logits, targets, *, negative=4.0, positive=1.0, margin=0.05):
    """As the authors' AsymmetricLoss, with its weights out of the gradient, but the mean where they have the sum."""
    p = torch.sigmoid(logits)
    not_p = (1 - p + margin).clamp(max=1)
    terms = targets * torch.log(p) + (1 - targets) * torch.log(not_p)
    with torch.no_grad():
        right = p * targets + not_p * (1 - targets)
        weights = (1 - right) ** (positive * targets + negative * (1 - targets))
    return -(terms * weights).mean()


def data():
    torch.manual_seed(0)
    return 2 * torch.randn(7, 5, dtype=torch.float64), (torch.rand(7, 5) < 0.4).double()


def test_a_hand_worked_value():
    """p = 3/4. There: (1/4)^1 -ln 3/4. Not there: q = .7, .7^4 -ln .3."""
    z = math.log(3)
    loss = Asymmetric()(torch.tensor([[z, z]]), torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx((0.25 * -math.log(0.75) + 0.7**4 * -math.log(0.3)) / 2, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"negative": 4.0, "positive": 1.0, "margin": 0.05},
        {"negative": 4.0, "positive": 0.0, "margin": 0.2},
        {"negative": 2.0, "positive": 0.5, "margin": 0.0},
    ],
)
def test_value_and_gradient_are_the_references(options):
    logits, targets = data()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = Asymmetric(gamma_negative=options["negative"], gamma_positive=options["positive"], margin=options["margin"])
    value, expected = loss(ours, targets), reference(theirs, targets, **options)
    assert value.item() == pytest.approx(expected.item(), rel=1e-9)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_no_gradient_goes_through_the_weights():
    """At p = 3/4, y = 1: the weight 1/4 times BCE's p - 1, not the whole derivative (1/4)(ln 3/4 * 3/4 - 1/4)."""
    z = torch.tensor([[math.log(3)]], requires_grad=True)
    Asymmetric(gamma_positive=1.0)(z, torch.tensor([[1.0]])).backward()
    assert z.grad.item() == pytest.approx(0.25 * (0.75 - 1), rel=1e-6)
    whole = 0.25 * (0.75 * math.log(0.75) - 0.25)
    assert z.grad.item() != pytest.approx(whole, rel=0.1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_with_nothing_asymmetric_it_is_bce(smoothing):
    logits, targets = data()
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = Asymmetric(gamma_negative=0.0, gamma_positive=0.0, margin=0.0, smoothing=smoothing)
    value, expected = loss(ours, targets), BCE(smoothing=smoothing)(theirs, targets)
    assert value.item() == pytest.approx(expected.item(), rel=1e-9)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_negative_below_the_margin_costs_nothing_and_is_left_alone():
    z = torch.tensor([[math.log(0.04 / 0.96), math.log(0.06 / 0.94)]], requires_grad=True)
    loss = Asymmetric(gamma_negative=0.0)(z, torch.tensor([[0.0, 0.0]]))
    assert loss.item() == pytest.approx(-math.log(0.99) / 2, rel=1e-4)
    loss.backward()
    assert z.grad[0, 0] == 0
    assert z.grad[0, 1] > 0


def test_gradients_stay_switched_as_they_were():
    """The authors' code switches them on for the whole program."""
    logits, targets = data()
    with torch.no_grad():
        Asymmetric()(logits, targets)
        assert not torch.is_grad_enabled()

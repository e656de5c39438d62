"""Distribution-balanced loss against the paper's equations, element by element."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.losses.bce import BCE
from multitag.losses.distribution_balanced import DistributionBalanced

NAN = float("nan")
TRAINING = torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
COUNTS, ROWS = [4, 2, 1], 8


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def reference(logits, targets, *, alpha=0.1, beta=10.0, mu=0.2, lam=2.0, kappa=0.05, gamma=0.0, smoothing=0.0):
    """As the paper writes it, element by element; gamma as in its DB-Focal."""
    values = []
    for row, known in zip(logits.tolist(), targets.tolist(), strict=True):
        company = sum(1 / n for n, y in zip(COUNTS, known, strict=True) if y == 1)
        for z, y, n in zip(row, known, COUNTS, strict=True):
            if math.isnan(y):
                continue
            r = (1 / n) / company if company else math.inf
            weight = alpha + (sigmoid(beta * (r - mu)) if company else 1)
            prior = -math.log(1 / (n / ROWS) - 1)
            u = z - -kappa * prior  # z - nu, nu = -kappa prior
            t = y * (1 - smoothing) + smoothing / 2
            there = -((1 - sigmoid(u)) ** gamma) * math.log(sigmoid(u))
            absent = -(sigmoid(lam * u) ** gamma) * math.log(1 - sigmoid(lam * u)) / lam
            values.append(weight * (t * there + (1 - t) * absent))
    return sum(values) / len(values)


def fitted(**options):
    loss = DistributionBalanced(**options)
    loss.fit(TRAINING)
    return loss


def test_a_hand_worked_value():
    """The first label, half of the rows: no shift. Alone in its row r = 1: w = .1 + s(8). At z = 0: ln 2."""
    value = fitted()(torch.zeros(1, 3), torch.tensor([[1.0, NAN, NAN]]))
    assert value.item() == pytest.approx((0.1 + sigmoid(8)) * math.log(2), rel=1e-6)


def test_a_common_label_beside_a_rare_one_weighs_less():
    """r of the first label beside the third: (1/4) / (1/4 + 1) = .2, at the turn: w = .1 + 1/2."""
    value = fitted()(torch.zeros(1, 3), torch.tensor([[1.0, NAN, 1.0]]))
    shift = 0.05 * math.log(7)  # of the third: N / n - 1 = 7
    third = (0.1 + sigmoid(10 * (0.8 - 0.2))) * math.log(1 + math.exp(shift))
    assert value.item() == pytest.approx((0.6 * math.log(2) + third) / 2, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [{}, {"smoothing": 0.1}, {"gamma": 2.0}, {"alpha": 0.0, "beta": 5.0, "mu": 0.3, "lam": 5.0, "kappa": 1.0}],
)
def test_equals_the_papers_equations(options):
    torch.manual_seed(0)
    logits, targets = 2 * torch.randn(9, 3), (torch.rand(9, 3) < 0.4).float()
    targets[torch.rand(9, 3) < 0.2] = NAN
    targets[0] = 0
    assert (targets == 1).sum() > 3
    assert fitted(**options)(logits, targets).item() == pytest.approx(reference(logits, targets, **options), rel=1e-5)


def test_with_nothing_balanced_it_is_bce():
    """lam 1, kappa 0 and a weight that never turns on: alpha 1 and s(beta (r - mu)) = 0."""
    torch.manual_seed(0)
    logits, targets = 2 * torch.randn(9, 3), (torch.rand(9, 3) < 0.4).float()
    targets[:, 0] = 1  # r is at most 1: every row has a label
    loss = fitted(alpha=1.0, beta=100.0, mu=50.0, lam=1.0, kappa=0.0)
    assert loss(logits, targets).item() == pytest.approx(BCE()(logits, targets).item(), rel=1e-6)


def test_the_pressure_on_a_negative_ends_early():
    """Its gradient is w s(lam u): at z = -2 far less than that of a positive as far on its right side."""
    logits = torch.tensor([[-2.0, 2.0, 0.0]], requires_grad=True)
    targets = torch.tensor([[0.0, 1.0, NAN]])
    fitted(lam=5.0, kappa=0.0, alpha=1.0, beta=100.0, mu=50.0)(logits, targets).backward()
    assert logits.grad[0, 0].item() == pytest.approx(sigmoid(-10) / 2, rel=1e-4)
    assert logits.grad[0, 1].item() == pytest.approx(-sigmoid(-2) / 2, rel=1e-4)


def test_weights_are_of_the_labels_as_given_not_smoothed():
    """Smoothing gives every row a little of every label; the company a label keeps stays what it was."""
    logits, targets = torch.zeros(1, 3), torch.tensor([[1.0, NAN, 1.0]])
    value = fitted(smoothing=0.5, kappa=0.0)(logits, targets)
    soft = 0.75 * math.log(2) + 0.25 * math.log(2) / 2
    assert value.item() == pytest.approx(soft * (0.6 + 0.1 + sigmoid(6)) / 2, rel=1e-5)

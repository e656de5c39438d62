"""Binary cross-entropy against torch and against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

from multitag.losses.base import Labels
from multitag.losses.bce import BCE

NAN = float("nan")


def test_a_hand_worked_value():
    """sigmoid(ln 3) = 3/4: -ln 3/4 where the label is there, -ln 1/4 where it is not; the unknown one is left out."""
    z = math.log(3)
    logits = torch.tensor([[z, z, -50.0]])
    targets = torch.tensor([[1.0, 0.0, NAN]])
    expected = (-math.log(3 / 4) - math.log(1 / 4)) / 2
    assert BCE()(logits, targets).item() == pytest.approx(expected, rel=1e-6)


def test_equals_torch_where_all_is_known():
    torch.manual_seed(0)
    logits, targets = 3 * torch.randn(7, 5), torch.rand(7, 5)
    loss = BCE()
    assert torch.equal(loss(logits, targets), binary_cross_entropy_with_logits(logits, targets))
    assert torch.allclose(loss(logits, targets), binary_cross_entropy(logits.sigmoid(), targets))
    labels = Labels(targets, targets, torch.ones_like(targets, dtype=torch.bool))
    assert torch.equal(loss.terms(logits, labels), binary_cross_entropy_with_logits(logits, targets, reduction="none"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_wrong_answer_of_great_certainty_costs_its_logit(dtype):
    logits = torch.tensor([[1e4, -1e4]], dtype=dtype)
    assert BCE()(logits, torch.tensor([[0.0, 1.0]])).item() == pytest.approx(float(logits[0, 0]))
    assert BCE()(logits, torch.tensor([[1.0, 0.0]])).item() == 0


def test_the_gradient_is_probability_minus_target_over_the_known():
    logits = torch.tensor([[0.0, math.log(3), 5.0]], requires_grad=True)
    BCE()(logits, torch.tensor([[1.0, 0.0, NAN]])).backward()
    assert logits.grad[0].tolist() == pytest.approx([-0.25, 0.375, 0.0])


def test_smoothing_moves_targets_by_half_of_it():
    """y (1 - e) + e / 2: with e = .2 a 1 becomes .9 and a 0 becomes .1, whatever the number of labels."""
    z = math.log(3)
    p = 3 / 4
    one, zero = -(0.9 * math.log(p) + 0.1 * math.log(1 - p)), -(0.1 * math.log(p) + 0.9 * math.log(1 - p))
    logits, targets = torch.tensor([[z, z, 9.0]]), torch.tensor([[1.0, 0.0, NAN]])
    assert BCE(smoothing=0.2)(logits, targets).item() == pytest.approx((one + zero) / 2, rel=1e-6)


def test_smoothing_draws_targets_to_one_half():
    z = math.log(3)
    loss = BCE(smoothing=0.2)(torch.tensor([[z, z]]), torch.tensor([[1.0, NAN]]))
    assert loss.item() == pytest.approx(-0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4), rel=1e-6)

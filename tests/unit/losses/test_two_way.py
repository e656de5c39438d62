"""Two-way loss against the authors' code, rewritten plainly, and what becomes of rows and labels with one side."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import softplus

from multitag.losses import LOSSES
from multitag.losses.two_way import TwoWay

NAN = float("nan")


def one_way(logits, targets, hot, cold):
    """Along rows: the authors' soft highest negative and lowest positive, of the rows with a label."""
    values = []
    for z, y in zip(logits, targets, strict=True):
        if (y == 1).any():
            lowest = hot * (-z[y == 1] / hot).exp().sum().log()
            highest = cold * (z[y == 0] / cold).exp().sum().log()  # -inf where there is none
            values.append(softplus(highest + lowest))
    return torch.stack(values).mean()


def reference(logits, targets, *, hot=4.0, cold=1.0):
    return one_way(logits, targets, hot, cold) + one_way(logits.T, targets.T, hot, cold)


def data(unknown=0.0):
    torch.manual_seed(1)
    logits, targets = 2 * torch.randn(8, 5, dtype=torch.float64), (torch.rand(8, 5) < 0.4).double()
    targets[torch.rand(8, 5) < unknown] = NAN
    targets[2], targets[:, 3] = 0, targets[:, 3].clamp(max=0)  # a row without labels, a label without rows
    return logits, targets


def test_a_hand_worked_value():
    """One row, positive at 1 and negative at 3: softplus(2). Down the labels: one positive without a negative, 0."""
    value = TwoWay()(torch.tensor([[1.0, 3.0]]), torch.tensor([[1.0, 0.0]]))
    assert value.item() == pytest.approx(math.log(1 + math.exp(2)), rel=1e-6)


def test_a_hand_worked_value_of_two_rows():
    """One label, at 1 where it is there and 3 where it is not: rows say 0, the label softplus(2)."""
    value = TwoWay()(torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [0.0]]))
    assert value.item() == pytest.approx(math.log(1 + math.exp(2)), rel=1e-6)


@pytest.mark.parametrize("unknown", [0.0, 0.3])
@pytest.mark.parametrize(("hot", "cold"), [(4.0, 1.0), (1.0, 1.0), (0.5, 3.0)])
def test_value_and_gradient_are_the_references(hot, cold, unknown):
    logits, targets = data(unknown)
    ours, theirs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    value = TwoWay(positive_temperature=hot, negative_temperature=cold)(ours, targets)
    expected = reference(theirs, targets, hot=hot, cold=cold)
    assert value.item() == pytest.approx(expected.item(), rel=1e-9)
    value.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad.nan_to_num(0))


def test_a_row_without_labels_teaches_its_labels_only():
    """It is a row's worth of negatives for the labels that other rows have, and nothing for those that none has."""
    logits, targets = data()
    logits.requires_grad_()
    TwoWay()(logits, targets).backward()
    has = targets.eq(1).any(0)
    assert (logits.grad[2, has] > 0).all()
    assert (logits.grad[2, ~has] == 0).all()


def test_rows_that_repeat_join_their_labels_sums_only():
    """Doubled rows: nothing along rows; along labels T- ln 2 + T+ ln 2 inside the softplus."""
    logits, targets = torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0], [0.0]])
    value = TwoWay()(logits.repeat(2, 1), targets.repeat(2, 1))
    assert value.item() == pytest.approx(math.log(1 + math.exp(2 + (4 + 1) * math.log(2))), rel=1e-6)


def test_there_is_no_smoothing_to_ask_for():
    assert set(LOSSES.options("two_way")) == {"positive_temperature", "negative_temperature"}

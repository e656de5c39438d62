"""ZLPR against its formula, written out with sums of exponentials."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.losses.zlpr import ZLPR

NAN = float("nan")


def reference(logits, targets, smoothing=0.0):
    """The mean over rows with a known label of log(1 + sum y e^-z) + log(1 + sum (1 - y) e^z)."""
    values = []
    for row, known in zip(logits.tolist(), targets.tolist(), strict=True):
        there = absent = 0.0
        pairs = [(z, y * (1 - smoothing) + smoothing / 2) for z, y in zip(row, known, strict=True) if not math.isnan(y)]
        for z, y in pairs:
            there, absent = there + y * math.exp(-z), absent + (1 - y) * math.exp(z)
        if pairs:
            values.append(math.log(1 + there) + math.log(1 + absent))
    return sum(values) / len(values)


def test_a_hand_worked_value():
    """Positives at ln 2 and ln 4: 1 + 1/2 + 1/4. A negative at -ln 5: 1 + 1/5. A row of unknown labels: nothing."""
    logits = torch.tensor([[math.log(2), math.log(4), -math.log(5)], [9.0, 9.0, 9.0]])
    targets = torch.tensor([[1.0, 1.0, 0.0], [NAN, NAN, NAN]])
    assert ZLPR()(logits, targets).item() == pytest.approx(math.log(7 / 4) + math.log(6 / 5), rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_its_formula_unknown_labels_left_out(smoothing):
    torch.manual_seed(0)
    logits, targets = 2 * torch.randn(9, 6), (torch.rand(9, 6) < 0.4).float()
    targets[torch.rand(9, 6) < 0.3] = NAN
    targets[4] = NAN
    loss = ZLPR(smoothing=smoothing)
    assert loss(logits, targets).item() == pytest.approx(reference(logits, targets, smoothing), rel=1e-5)
    assert loss.size(targets) == 8


def test_a_row_weighs_the_same_however_many_of_its_labels_are_known():
    logits, targets = (
        torch.tensor([[1.0, -2.0, 0.5], [3.0, 1.0, 2.0]]),
        torch.tensor([[1.0, 0.0, 0.0], [0.0, NAN, NAN]]),
    )
    parts = [ZLPR()(logits[row : row + 1], targets[row : row + 1]).item() for row in range(2)]
    assert ZLPR()(logits, targets).item() == pytest.approx(sum(parts) / 2, rel=1e-6)


def test_the_worst_answer_has_most_of_the_gradient():
    """Many easy negatives do not drown a hard one: its share is that of a softmax with a 0 beside it."""
    logits = torch.tensor([[3.0, *[-3.0] * 50]], requires_grad=True)
    ZLPR()(logits, torch.zeros(1, 51)).backward()
    total = 1 + math.exp(3) + 50 * math.exp(-3)
    assert logits.grad[0, 0].item() == pytest.approx(math.exp(3) / total, rel=1e-5)
    assert logits.grad[0, 1].item() == pytest.approx(math.exp(-3) / total, rel=1e-5)

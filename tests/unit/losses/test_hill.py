"""Hill loss against the paper's formula, and the shape that gives it its name."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.errors import ConfigError
from multitag.losses import LOSSES
from multitag.losses.hill import Hill


def reference(z, y, *, lam=1.5, margin=1.0, gamma=2.0):
    """Of one element: a focal loss with a margin, or (lambda - p) p^2."""
    p, q = 1 / (1 + math.exp(-z)), 1 / (1 + math.exp(-(z - margin)))
    return y * -((1 - q) ** gamma) * math.log(q) + (1 - y) * (lam - p) * p**2


def test_a_hand_worked_value():
    """There, at 1 + ln 3: q = 3/4, (1/4)^2 -ln 3/4. Not there, at ln 3: (1.5 - .75) .75^2."""
    loss = Hill()(torch.tensor([[1 + math.log(3), math.log(3)]]), torch.tensor([[1.0, 0.0]]))
    assert loss.item() == pytest.approx((-math.log(3 / 4) / 16 + 0.75**3) / 2, rel=1e-6)


@pytest.mark.parametrize("options", [{}, {"lam": 2.0, "margin": 0.5, "gamma": 0.5}, {"margin": 0.0, "gamma": 0.0}])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_equals_its_formula(options, smoothing):
    torch.manual_seed(0)
    logits, targets = 3 * torch.randn(7, 5), (torch.rand(7, 5) < 0.4).float()
    soft = targets * (1 - smoothing) + smoothing / 2
    pairs = zip(logits.flatten().tolist(), soft.flatten().tolist(), strict=True)
    expected = sum(reference(z, y, **options) for z, y in pairs) / 35
    assert Hill(**options, smoothing=smoothing)(logits, targets).item() == pytest.approx(expected, rel=1e-5)


def gradient(z, **options):
    logits = torch.tensor([[z]], dtype=torch.float64, requires_grad=True)
    Hill(**options)(logits, torch.zeros(1, 1)).backward()
    return logits.grad.item()


def test_the_gradient_of_a_negative_is_a_hill():
    """3 p^2 (1 - p)^2 at lambda 1.5: highest at p = 1/2, and next to nothing for a negative that may be a label."""
    for p in (0.1, 0.5, 0.9, 0.99):
        assert gradient(math.log(p / (1 - p))) == pytest.approx(3 * p**2 * (1 - p) ** 2, rel=1e-9)


def test_below_the_papers_lambda_sure_negatives_are_pushed_up():
    """(2 lambda - 3 p) p changes sign at p = 2/3 for lambda 1."""
    assert gradient(math.log(0.6 / 0.4), lam=1.0) > 0
    assert gradient(math.log(0.7 / 0.3), lam=1.0) < 0


def test_a_lambda_that_rewards_wrong_answers_is_refused():
    with pytest.raises(ConfigError, match="option 'lam'"):
        LOSSES.build("hill", {"lam": 0.9})

"""Focal loss against its formula, element by element, in its three readings of alpha."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.losses import LOSSES
from multitag.losses.bce import BCE
from multitag.losses.focal import Focal


def reference(z, y, *, gamma, there, absent):
    """-a_t (1 - p_t)^gamma log p_t of one element."""
    p = 1 / (1 + math.exp(-z))
    return -there * (1 - p) ** gamma * math.log(p) if y else -absent * p**gamma * math.log(1 - p)


def test_a_hand_worked_value():
    """p = 3/4, defaults: .25 (1/4)^2 -ln 3/4 where the label is there, .75 (3/4)^2 -ln 1/4 where it is not."""
    z = math.log(3)
    loss = Focal()(torch.tensor([[z, z]]), torch.tensor([[1.0, 0.0]]))
    expected = (0.25 / 16 * -math.log(3 / 4) + 0.75 * 9 / 16 * -math.log(1 / 4)) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        ({"alpha": 0.25}, 0.25, 0.75),
        ({"alpha": 1.0}, 1.0, 0.0),
        ({"alpha": 1.2, "alpha_mode": "positive"}, 1.2, 1.0),
        ({"alpha": 1.2, "alpha_mode": "scale"}, 1.2, 1.2),
    ],
)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0, 5.0])
def test_equals_its_formula(options, there, absent, gamma):
    torch.manual_seed(0)
    logits, targets = 3 * torch.randn(7, 5), (torch.rand(7, 5) < 0.4).float()
    pairs = zip(logits.flatten().tolist(), targets.flatten().tolist(), strict=True)
    expected = sum(reference(z, y, gamma=gamma, there=there, absent=absent) for z, y in pairs) / 35
    assert Focal(gamma=gamma, **options)(logits, targets).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_without_focus_it_is_bce_times_alpha(smoothing):
    torch.manual_seed(0)
    logits, targets = 3 * torch.randn(7, 5), (torch.rand(7, 5) < 0.4).float()
    bce = BCE(smoothing=smoothing)(logits, targets).item()
    scaled = Focal(gamma=0.0, alpha=0.7, alpha_mode="scale", smoothing=smoothing)(logits, targets)
    assert scaled.item() == pytest.approx(0.7 * bce, rel=1e-6)
    even = Focal(gamma=0.0, alpha=0.5, alpha_mode="balanced", smoothing=smoothing)(logits, targets)
    assert even.item() == pytest.approx(0.5 * bce, rel=1e-6)


def test_smoothed_targets_take_their_share_of_both_sides():
    z, options = 0.7, {"gamma": 2.0, "there": 0.25, "absent": 0.75}
    loss = Focal(smoothing=0.2)(torch.tensor([[z]]), torch.tensor([[1.0]]))
    assert loss.item() == pytest.approx(0.9 * reference(z, 1, **options) + 0.1 * reference(z, 0, **options), rel=1e-5)


def test_the_gradient_stays_finite_where_a_plain_power_has_none():
    """d/dp (1 - p)^.5 is infinite at p = 1, which float32 reaches at z = 17."""
    logits = torch.tensor([[40.0, -40.0]], requires_grad=True)
    Focal(gamma=0.5)(logits, torch.tensor([[1.0, 0.0]])).backward()
    assert logits.grad.abs().max() < 1e-6


def test_a_balanced_alpha_above_1_is_refused_with_the_reason():
    with pytest.raises(ConfigError) as caught:
        LOSSES.build("focal", {"alpha": 1.2})
    message = str(caught.value)
    for part in ("loss 'focal'", "'alpha' = 1.2", "1 - alpha = -0.2", "no lower bound", "Accepted: 0 to 1", "positive"):
        assert part in message
    with pytest.raises(ConfigError, match=r"\[loss\] loss 'focal', option 'alpha'"):
        Config.parse({"loss": {"name": "focal", "alpha": 1.2}})
    assert LOSSES.build("focal", {"alpha": 1.2, "alpha_mode": "positive"}).negative == 1


def test_it_would_indeed_have_no_lower_bound():
    """What is refused: with weight -.2, wrong negatives are rewarded without end."""
    loss = Focal()
    loss.positive, loss.negative = 1.2, -0.2
    assert loss(torch.tensor([[1e4]]), torch.tensor([[0.0]])) < -1000


def test_an_alpha_that_scales_all_to_nothing_is_refused():
    with pytest.raises(ConfigError, match="nothing would be learned"):
        LOSSES.build("focal", {"alpha": 0.0, "alpha_mode": "scale"})

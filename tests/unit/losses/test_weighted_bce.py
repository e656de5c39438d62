"""Weighted binary cross-entropy against numbers worked out by hand and torch's own weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from multitag.errors import ConfigError
from multitag.losses import LOSSES
from multitag.losses.bce import BCE
from multitag.losses.weighted_bce import WeightedBCE

NAN = float("nan")


def test_a_hand_worked_value():
    """p = 3/4: twice -ln 3/4 where the label is there, half of -ln 1/4 where it is not."""
    z = math.log(3)
    loss = WeightedBCE(positive=2.0, negative=0.5)(torch.tensor([[z, z, 7.0]]), torch.tensor([[1.0, 0.0, NAN]]))
    assert loss.item() == pytest.approx((2 * -math.log(3 / 4) + 0.5 * -math.log(1 / 4)) / 2, rel=1e-6)


def test_smoothed_targets_share_both_weights():
    z = math.log(3)
    loss = WeightedBCE(positive=2.0, negative=0.5, smoothing=0.2)(torch.tensor([[z]]), torch.tensor([[1.0]]))
    assert loss.item() == pytest.approx(2 * 0.9 * -math.log(3 / 4) + 0.5 * 0.1 * -math.log(1 / 4), rel=1e-6)


def test_equals_torchs_positive_weight_and_bce_where_both_are_one():
    torch.manual_seed(0)
    logits, targets = 3 * torch.randn(7, 5), (torch.rand(7, 5) < 0.4).float()
    expected = binary_cross_entropy_with_logits(logits, targets, pos_weight=torch.tensor(3.0))
    assert WeightedBCE(positive=3.0, negative=1.0)(logits, targets).item() == pytest.approx(expected.item(), rel=1e-6)
    plain = WeightedBCE(positive=1.0, negative=1.0)
    assert plain(logits, targets).item() == pytest.approx(BCE()(logits, targets).item(), rel=1e-6)


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_weight_must_be_above_0(weight):
    with pytest.raises(ConfigError, match="option 'positive'"):
        LOSSES.build("weighted_bce", {"positive": weight})

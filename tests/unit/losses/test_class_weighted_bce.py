"""Log class weights in their three forms, worked out by hand, and what they are counted from."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.losses.class_weighted_bce import ClassWeightedBCE
from multitag.losses.frequencies import label_frequencies

NAN = float("nan")
TRAINING = torch.tensor([[1.0, 0.0, NAN], [1.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, NAN]])
"""3 of 4, 1 of 4, 1 of 2 known."""
RARITY = [4 / 3, 4.0, 2.0]


@pytest.mark.parametrize(
    ("options", "weight"),
    [
        ({"form": "log"}, math.log),
        ({}, lambda rarity: 1 + math.log(rarity)),
        ({"form": "one_plus_log", "mu": 9.0}, lambda rarity: 1 + math.log(rarity)),
        ({"form": "at_least_one", "mu": 2.0}, lambda rarity: max(1.0, math.log(2 * rarity))),
        ({"form": "at_least_one"}, lambda rarity: 1.0),
    ],
)
def test_each_label_has_its_weight(options, weight):
    """At z = 0 each element costs ln 2, whichever side it is on; the weights are those of the label."""
    loss = ClassWeightedBCE(**options)
    loss.fit(TRAINING)
    assert loss.weights.tolist() == pytest.approx([weight(rarity) for rarity in RARITY], rel=1e-6)
    value = loss(torch.zeros(2, 3), torch.tensor([[1.0, 0.0, NAN], [0.0, NAN, 1.0]]))
    first, second, third = (weight(rarity) for rarity in RARITY)
    assert value.item() == pytest.approx(math.log(2) * (2 * first + second + third) / 4, rel=1e-6)


def test_a_rare_label_weighs_more():
    loss = ClassWeightedBCE()
    loss.fit(TRAINING)
    wrong = [
        loss(torch.tensor([[-3.0] * 3]), torch.eye(3)[k : k + 1].where(torch.eye(3)[k] > 0, NAN)) for k in range(3)
    ]
    assert wrong[1] > wrong[2] > wrong[0]


def test_labels_that_cannot_be_counted_weigh_something_finite():
    """No row has the first; every row the second; nothing is known of the third."""
    loss = ClassWeightedBCE()
    loss.fit(torch.tensor([[0.0, 1.0, NAN]]).repeat(10, 1))
    assert loss.weights.tolist() == pytest.approx([1 + math.log(10), 1, 1])


def test_counts_do_not_round_in_small_types():
    """bfloat16 cannot count past 256."""
    targets = torch.zeros(5000, 1, dtype=torch.bfloat16)
    targets[:1000] = 1
    positives, rows = label_frequencies(targets)
    assert (positives.item(), rows.item()) == (1000, 5000)


def test_smoothing_changes_targets_and_no_count():
    loss = ClassWeightedBCE(smoothing=0.2)
    loss.fit(TRAINING)
    assert loss.weights.tolist() == pytest.approx([1 + math.log(rarity) for rarity in RARITY], rel=1e-6)
    z, p = math.log(3), 3 / 4
    expected = (1 + math.log(4)) * -(0.9 * math.log(p) + 0.1 * math.log(1 - p))
    assert loss(torch.tensor([[0.0, z, 0.0]]), torch.tensor([[NAN, 1.0, NAN]])).item() == pytest.approx(expected)

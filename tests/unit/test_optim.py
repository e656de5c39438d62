"""The learning rate by hand, and what is decayed."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from multitag.optim import build_optimizer, rate_factor, set_rates


def factors(steps, **how):
    return [rate_factor(step, steps, **how) for step in range(steps)]


def test_linear_by_hand():
    assert factors(10, schedule="linear", warmup=0.2) == pytest.approx(
        [0.5, 1.0, 1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    )


def test_cosine_by_hand():
    expected = [0.25, 0.5, 0.75, 1.0, *(0.5 * (1 + math.cos(math.pi * k / 4)) for k in range(4))]
    assert factors(8, schedule="cosine", warmup=0.5) == pytest.approx(expected)
    assert expected[6] == pytest.approx(0.5)


def test_constant_stays_after_its_warm_up():
    assert factors(4, schedule="constant", warmup=0.5) == [0.5, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize("steps", [1, 2, 3, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.99])
def test_every_step_learns_something_and_none_more_than_the_peak(schedule, steps, warmup):
    values = factors(steps, schedule=schedule, warmup=warmup)
    assert all(0 < value <= 1 for value in values)
    assert max(values) == 1
    peak = values.index(1.0)
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)


def test_past_the_end_the_rate_is_zero():
    assert rate_factor(10, 10, schedule="linear", warmup=0.0) == 0
    assert rate_factor(99, 10, schedule="cosine", warmup=0.0) == pytest.approx(0)


def test_groups_have_their_own_rate_and_only_matrices_decay():
    head, encoder = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)), nn.Linear(4, 3)
    encoder.bias.requires_grad_(False)
    optimizer = build_optimizer(head.parameters(), encoder.parameters(), lr=0.1, encoder_lr=0.01, decay=0.5)
    groups = [(g["lr"], g["weight_decay"], len(g["params"])) for g in optimizer.param_groups]
    assert groups == [(0.1, 0.5, 1), (0.1, 0.0, 3), (0.01, 0.5, 1)]
    set_rates(optimizer, 0.5)
    set_rates(optimizer, 0.25)
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.025, 0.025, 0.0025])


def test_a_step_by_hand():
    """AdamW's first step moves a weight by the rate against the gradient's sign, after the decay."""
    weight, bias = nn.Parameter(torch.tensor([[2.0]])), nn.Parameter(torch.tensor([2.0]))
    optimizer = build_optimizer([weight, bias], [], lr=0.1, encoder_lr=1.0, decay=0.5)
    (3 * weight.sum() - bias.sum()).backward()
    optimizer.step()
    assert weight.item() == pytest.approx(2.0 * (1 - 0.1 * 0.5) - 0.1)
    assert bias.item() == pytest.approx(2.0 + 0.1)

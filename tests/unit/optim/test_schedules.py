"""The learning rate by hand."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import nn

from multitag.optim import Schedule, ScheduleName, build_optimizer, parameter_groups, set_rates


def factors(steps, *, epoch_steps=1, **how):
    return [Schedule(**how).factor(step, steps, epoch_steps=epoch_steps) for step in range(steps)]


def test_linear_by_hand():
    assert factors(10, name="linear", warmup=0.2) == pytest.approx(
        [0.5, 1.0, 1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]
    )


def test_cosine_by_hand():
    expected = [0.25, 0.5, 0.75, 1.0, *(0.5 * (1 + math.cos(math.pi * k / 4)) for k in range(4))]
    assert factors(8, name="cosine", warmup=0.5) == pytest.approx(expected)
    assert expected[6] == pytest.approx(0.5)


def test_constant_stays_after_its_warm_up():
    assert factors(4, name="constant", warmup=0.5) == [0.5, 1.0, 1.0, 1.0]


def test_step_falls_after_whole_epochs():
    """Seed 002: a tenth from epoch 30 of 50 on; here with 3 steps an epoch, every second epoch, in five."""
    found = factors(15, epoch_steps=3, name="step", step_epochs=2, step_factor=0.1)
    assert found == pytest.approx([1.0] * 6 + [0.1] * 6 + [0.01] * 3)
    seed = Schedule("step", step_epochs=30, step_factor=0.1)
    assert seed.factor(30 * 7 - 1, 350, epoch_steps=7) == 1.0
    assert seed.factor(30 * 7, 350, epoch_steps=7) == seed.factor(349, 350, epoch_steps=7) == pytest.approx(0.1)
    assert factors(4, name="step", warmup=0.5, step_epochs=3, step_factor=0.5) == [0.5, 1.0, 1.0, 0.5]


def test_one_cycle_by_hand_and_as_torch_has_it():
    """torch's OneCycleLR over 21 steps peaks at step 5.3 and ends at step 20; with shares that fit it peaks at 6."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=21, pct_start=7 / 21, cycle_momentum=False)
    expected = []
    for _ in range(20):
        expected += theirs.get_last_lr()
        optimizer.step()
        theirs.step()
    found = factors(20, name="one_cycle", warmup=0.5)
    assert found == pytest.approx(expected)
    assert (found[0], found[6]) == pytest.approx((1 / 25, 1.0))
    assert Schedule("one_cycle").factor(20, 20) == pytest.approx(1 / 25 / 1e4)


@pytest.mark.parametrize("name", get_args(ScheduleName))
@pytest.mark.parametrize("steps", [1, 2, 3, 1000])
@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.99])
def test_every_step_learns_something_and_none_more_than_the_peak(name, steps, warmup):
    values = factors(steps, name=name, warmup=warmup, step_epochs=steps)
    assert all(0 < value <= 1 for value in values)
    assert max(values) == 1
    peak = values.index(1.0)
    assert values[: peak + 1] == sorted(values[: peak + 1])
    assert values[peak:] == sorted(values[peak:], reverse=True)


def test_past_the_end_the_rate_is_zero():
    assert Schedule("linear").factor(10, 10) == 0
    assert Schedule("cosine").factor(99, 10) == pytest.approx(0)


def test_rates_are_set_from_the_peak_times_the_parts_scale():
    groups = parameter_groups(nn.Linear(3, 2).parameters(), {"text": nn.Linear(3, 2)}, lr=0.1, encoder_lr=0.01, decay=0)
    optimizer = build_optimizer("adamw", groups)
    set_rates(optimizer, 0.5)
    set_rates(optimizer, 0.25)
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.025, 0.025, 0.0025, 0.0025])
    set_rates(optimizer, 0.5, {"text": 0.1})
    assert [g["lr"] for g in optimizer.param_groups] == pytest.approx([0.05, 0.05, 0.0005, 0.0005])

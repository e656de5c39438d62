"""Each optimiser's first steps by hand."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import nn

from multitag.optim import OptimizerName, build_optimizer


def stepped(name, *, steps=1, gradient=3.0, lr=0.1, decay=0.5, **options):
    """A weight of 2 after some steps along a constant gradient."""
    weight = nn.Parameter(torch.tensor([[2.0]]))
    optimizer = build_optimizer(name, [{"params": [weight], "lr": lr, "weight_decay": decay}], **options)
    for _ in range(steps):
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
    return weight.item()


def test_adamw_decays_apart_from_the_gradient():
    """Its first step is the rate against the gradient's sign, after the decay."""
    assert stepped("adamw") == pytest.approx(2.0 * (1 - 0.1 * 0.5) - 0.1)
    assert stepped("adamw", gradient=-1.0, decay=0.0) == pytest.approx(2.0 + 0.1)


def test_adam_decays_through_the_gradient():
    assert stepped("adam", gradient=-0.5, decay=0.5) == pytest.approx(2.0 - 0.1)  # -0.5 + 0.5 * 2 is positive
    assert stepped("adam", gradient=-0.5, decay=0.0) == pytest.approx(2.0 + 0.1)


def test_sgd_with_and_without_momentum():
    assert stepped("sgd", decay=0.5) == pytest.approx(2.0 - 0.1 * (3 + 0.5 * 2))
    assert stepped("sgd", decay=0.0, steps=2) == pytest.approx(2.0 - 0.1 * 3 * 2)
    assert stepped("sgd", decay=0.0, steps=2, momentum=0.9) == pytest.approx(2.0 - 0.1 * (3 + 3 * 1.9))
    # Nesterov looks ahead: gradient + momentum * velocity.
    nesterov = 2.0 - 0.1 * (3 * 1.9 + (3 + 0.9 * 3 * 1.9))
    assert stepped("sgd", decay=0.0, steps=2, momentum=0.9, nesterov=True) == pytest.approx(nesterov)


def test_nadam_by_its_formula():
    """Dozat 2016 with torch's momentum schedule; the decay is apart from the gradient."""
    mu, after = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * step)) for step in (1, 2))
    m, v = 0.1 * 3.0, 0.001 * 9.0
    slope = (1 - mu) * 3.0 / (1 - mu) + after * m / (1 - mu * after)
    expected = 2.0 * (1 - 0.1 * 0.5) - 0.1 * slope / ((v / 0.001) ** 0.5)
    assert stepped("nadam") == pytest.approx(expected)


@pytest.mark.parametrize("name", get_args(OptimizerName))
def test_a_parameter_without_a_gradient_is_left_alone(name):
    """What a stage keeps closed neither decays nor moves."""
    open_, closed = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = build_optimizer(name, [{"params": [open_, closed], "lr": 0.1, "weight_decay": 0.5}], momentum=0.9)
    open_.grad = torch.ones(2, 2)
    optimizer.step()
    assert (closed == 1).all()
    assert (open_ < 1).all()
    assert closed not in optimizer.state


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_a_step_is_one_kernel_where_torch_has_it(name):
    optimizer = build_optimizer(name, [{"params": [nn.Parameter(torch.ones(2, 2))], "lr": 0.1}])
    assert optimizer.param_groups[0]["fused"] is True

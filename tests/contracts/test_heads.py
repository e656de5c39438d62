"""What holds for every registered head. A new one with options of its own may add a line to `OPTIONS`."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from multitag.heads import HEADS, Head
from multitag.types import Encoded, Width

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "linear": [{"dropout": 0.5}],
    "mlp": [{"hidden": 7, "layers": 3, "activation": "relu"}, {"hidden": 4, "dropout": 0.0, "input_dropout": 0.0}],
}
"""Options to test beside the defaults."""
CASES = [(name, options) for name in HEADS.names() for options in [{}, *OPTIONS.get(name, [])]]


def test_what_is_listed_is_registered():
    assert set(OPTIONS) <= set(HEADS.names())


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


def build(case, width: int = 6, labels: int = 3, *, seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return HEADS.build(*case, Width(width, width), labels).eval()


def rows(width: int = 6, number: int = 5) -> torch.Tensor:
    return torch.randn(number, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("labels", [1, 3])
@pytest.mark.parametrize("number", [0, 1, 5])
def test_a_logit_for_each_row_and_label(case, labels, number):
    logits = build(case, 6, labels)(Encoded(rows(number=number)))
    assert logits.shape == (number, labels)
    assert logits.isfinite().all()


def test_rows_do_not_see_each_other(case):
    head = build(case)
    together = head(Encoded(rows()))
    for row in range(5):
        assert torch.allclose(head(Encoded(rows()[row : row + 1]))[0], together[row], atol=1e-6)
    order = torch.tensor([4, 2, 0, 3, 1])
    assert torch.allclose(head(Encoded(rows()[order])), together[order], atol=1e-6)
    assert len(together.unique(dim=0)) == 5


def test_tokens_beside_the_pooled_vector_change_nothing_by_their_padding(case):
    head = build(case)
    mask = torch.ones(5, 2, dtype=torch.bool)
    tokens = torch.randn(5, 2, 6)
    padded = (
        torch.cat([tokens, torch.full((5, 1, 6), 9.0)], 1),
        torch.cat([mask, torch.zeros(5, 1, dtype=torch.bool)], 1),
    )
    assert torch.allclose(head(Encoded(rows(), *padded)), head(Encoded(rows(), tokens, mask)), atol=1e-6)


def test_the_gradient_reaches_every_weight_and_input(case):
    head = build(case).train()
    torch.manual_seed(0)
    inputs = rows(number=64).requires_grad_()
    head(Encoded(inputs)).square().sum().backward()
    assert [name for name, p in head.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert inputs.grad.any(0).all()


def test_the_same_seed_gives_the_same_training_step(case):
    def trained(seed: int) -> torch.Tensor:
        head = build(case).train()
        torch.manual_seed(seed)
        return head(Encoded(rows()))

    assert torch.equal(trained(3), trained(3))


def test_dropout_is_for_training_alone(case):
    head = build(case)
    assert torch.equal(head(Encoded(rows())), head(Encoded(rows())))


def test_weights_carry_all(case):
    first, other = build(case), build(case, seed=1)
    assert not torch.equal(first(Encoded(rows())), other(Encoded(rows())))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first(Encoded(rows())), other(Encoded(rows())))


def test_labels_start_alike_whatever_their_number(case):
    """A head must not start with logits that grow with the width: training would begin by undoing them."""
    logits = build(case, 4096, 40)(Encoded(rows(4096, 32)))
    assert logits.abs().mean() < 2

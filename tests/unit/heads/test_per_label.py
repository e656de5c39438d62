"""A dropout and a linear layer for each label, as in seed 003's LSTM."""

from __future__ import annotations

import pytest
import torch

from multitag.heads.linear import Linear
from multitag.heads.per_label import PerLabel
from multitag.types import Encoded, Width


def test_each_label_is_a_dot_product_of_its_own():
    head = PerLabel(Width(2), 3).eval()
    head.out.weight.data = torch.tensor([[1.0, 2.0], [0.0, -1.0], [0.5, 0.5]])
    head.out.bias.data = torch.tensor([0.0, 1.0, 2.0])
    assert head(Encoded(torch.tensor([[3.0, 4.0]]))).tolist() == [[11.0, -3.0, 5.5]]


def test_once_trained_it_is_the_linear_head():
    torch.manual_seed(0)
    head, linear = PerLabel(Width(7), 4).eval(), Linear(Width(7), 4).eval()
    linear.load_state_dict(head.state_dict())
    x = Encoded(torch.randn(5, 7))
    assert torch.equal(head(x), linear(x))


def draws(head, rows: int) -> torch.Tensor:
    """Which of two inputs each label of each row keeps: the first stands for 1 in the logit, the second for 2."""
    head.out.weight.data = torch.tensor([1.0, 2.0]).repeat(head.labels, 1) * (1 - 0.4)
    head.out.bias.data.zero_()
    torch.manual_seed(0)
    logits = head.train()(Encoded(torch.ones(rows, 2)))
    return torch.stack([logits.round().long() & 1, logits.round().long() >> 1], dim=-1).float()


def test_labels_draw_on_their_own_and_keep_the_mean():
    kept = draws(PerLabel(Width(2), 3), 5000).flatten(1)  # rows, (label, input)
    assert set(kept.unique().tolist()) == {0.0, 1.0}
    assert kept.mean(0).tolist() == pytest.approx([0.6] * 6, abs=0.03)
    assert torch.corrcoef(kept.T).fill_diagonal_(0).abs().max() < 0.06


def test_the_linear_head_draws_once_for_all_labels():
    kept = draws(Linear(Width(2), 3, dropout=0.4), 200)
    assert torch.equal(kept[:, 0], kept[:, 1])
    assert torch.equal(kept[:, 0], kept[:, 2])


def test_without_dropout_training_is_predicting():
    torch.manual_seed(0)
    head = PerLabel(Width(7), 4, dropout=0.0)
    x = Encoded(torch.randn(5, 7))
    assert torch.equal(head.train()(x), head.eval()(x))

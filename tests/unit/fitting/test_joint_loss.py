"""One loss of tokens and rows: two means, neither of which drowns the other."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.fitting.joint_loss import JointLoss
from multitag.losses.bce import BCE
from multitag.spans.row_answers import RowAnswers

NAN = float("nan")


def test_it_is_the_sum_of_two_means():
    beside = RowAnswers(labels=1, outputs=2)
    loss = JointLoss(BCE(), BCE(), beside, 0.25)
    logits = beside.joined(torch.tensor([[2.0]]), torch.tensor([[[0.0, 1.0], [5.0, 5.0]]]))
    gold = beside.joined(torch.tensor([[1.0]]), torch.tensor([[[1.0, 0.0], [NAN, NAN]]]), fill=NAN)
    expected = (math.log(2) + math.log1p(math.e)) / 2 + 0.25 * math.log1p(math.exp(-2))
    assert loss(logits, gold).item() == pytest.approx(expected, abs=1e-6)


def test_padding_and_rows_not_known_change_nothing():
    beside = RowAnswers(labels=3, outputs=2)
    loss = JointLoss(BCE(), BCE(smoothing=0.1), beside, 0.7)
    rows, tokens = torch.randn(2, 3), torch.randn(2, 4, 2)
    row_gold, token_gold = torch.ones(2, 3), torch.ones(2, 4, 2)
    short = loss(beside.joined(rows, tokens), beside.joined(row_gold, token_gold, fill=NAN))
    wide = torch.cat([tokens, torch.full((2, 3, 2), 9.0)], 1)
    wide_gold = torch.cat([token_gold, torch.full((2, 3, 2), NAN)], 1)
    assert torch.allclose(loss(beside.joined(rows, wide), beside.joined(row_gold, wide_gold, fill=NAN)), short)
    unknown = loss(beside.joined(rows, tokens), beside.joined(row_gold * NAN, token_gold, fill=NAN))
    assert unknown.item() == pytest.approx(BCE()(tokens, token_gold).item())


def test_both_get_a_gradient_and_rows_their_weight():
    beside = RowAnswers(labels=2, outputs=2)
    both = beside.joined(torch.zeros(1, 2), torch.zeros(1, 3, 2)).requires_grad_()
    gold = beside.joined(torch.ones(1, 2), torch.ones(1, 3, 2))
    JointLoss(BCE(), BCE(), beside, 0.5)(both, gold).backward()
    assert both.grad[0].tolist() == [[-0.125, -0.125], *[[pytest.approx(-1 / 12)] * 2] * 3]

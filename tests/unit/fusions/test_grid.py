"""A token's place on the picture, worked out by hand."""

from __future__ import annotations

import pytest
import torch

from multitag.fusions.grid import GridPosition


def codes(counts, longest, *, left=False):
    """What is added to tokens of zeros: the column plus ten times the row."""
    position = GridPosition(1)
    position.map.weight.data = torch.tensor([[1.0, 10.0]])
    position.map.bias.data = torch.tensor([0.0])
    mask = torch.arange(longest) < torch.tensor(counts).unsqueeze(1)
    mask = mask.flip(1) if left else mask
    tokens = torch.zeros(len(counts), longest, 1)
    return [row[here].tolist() for row, here in zip(position(tokens, mask)[..., 0], mask, strict=True)]


def test_places_go_row_by_row_from_minus_one_to_one():
    assert codes([4], 4) == [[-11, -9, 9, 11]]
    assert codes([9], 9) == [[-11, -10, -9, -1, 0, 1, 9, 10, 11]]


def test_a_class_token_stands_before_the_first_place():
    assert codes([5], 5) == [[-13, -11, -9, 9, 11]]
    assert codes([10], 10) == [[-12, -11, -10, -9, -1, 0, 1, 9, 10, 11]]


@pytest.mark.parametrize("left", [False, True])
def test_padding_and_company_move_no_token(left):
    assert codes([4, 5, 1], 12, left=left) == [[-11, -9, 9, 11], [-13, -11, -9, 9, 11], [0]]


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7, 8, 11, 12, 48, 51])
def test_what_is_no_square_has_no_places(count):
    assert codes([count], count) == [[0] * count]


@pytest.mark.parametrize("side", [7, 14, 24, 32])
def test_the_grids_of_real_encoders(side):
    for special in (0, 1):
        found = codes([side * side + special], side * side + special)[0][special:]
        steps = torch.linspace(-1, 1, side).double()
        assert found == pytest.approx((steps.unsqueeze(0) + 10 * steps.unsqueeze(1)).flatten().tolist(), abs=1e-5)


def test_the_tokens_keep_what_they_say():
    position, mask = GridPosition(3), torch.ones(2, 4, dtype=torch.bool)
    tokens = torch.randn(2, 4, 3)
    code = position(torch.zeros(2, 4, 3), mask)
    assert torch.equal(code[0], code[1])
    assert torch.allclose(position(tokens, mask), tokens + code)

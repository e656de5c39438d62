"""How many epochs fit, reckoned by hand."""

from __future__ import annotations

import pytest

from multitag.fitting.limits.budget import Cost, fitting, least_epochs, shortened


@pytest.mark.parametrize(
    ("lengths", "least"),
    [((1,), 1), ((2,), 2), ((4,), 2), ((6,), 2), ((7,), 3), ((20,), 7), ((1, 1, 1), 3), ((6, 6), 4), ((1,) * 5, 5)],
)
def test_the_fewest_epochs_are_a_third_and_two(lengths: tuple[int, ...], least: int) -> None:
    assert least_epochs(lengths) == least


def test_stages_are_shortened_alike() -> None:
    assert shortened((10,), 4) == (4,)
    assert shortened((2, 6, 12), 10) == (1, 3, 6)
    assert shortened((1, 9), 5) == (1, 4)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (210, (20,)),  # 10 s beside 20 epochs of 10 s
        (209, (19,)),
        (110, (10,)),
        (80, (7,)),
        (79, None),  # fewer than a third
        (5, None),
        (-1, None),
    ],
)
def test_what_fits(left: float, expected: tuple[int, ...] | None) -> None:
    cost = Cost(10, 10, (20,))
    assert cost.seconds() == 210
    assert fitting(cost, left, least=least_epochs(cost.lengths)) == expected


def test_what_is_needed_is_shortened_to_a_single_epoch() -> None:
    assert fitting(Cost(10, 10, (20,)), 29, least=1) == (1,)
    assert fitting(Cost(10, 10, (20,)), 19, least=1) is None


def test_what_costs_nothing_fits() -> None:
    assert fitting(Cost(0, 0, (3,)), 0, least=2) == (3,)
    assert fitting(Cost(5, 0, (3,)), 4, least=2) is None

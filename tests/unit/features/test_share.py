"""Shares: together everything, each piece once, named as people count."""

from __future__ import annotations

import pytest

from multitag.errors import ConfigError
from multitag.features.share import WHOLE, Share, launched

NAMES = ["RANK", "WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shares_are_everything_and_each_piece_once(count):
    shares = [Share(index, count) for index in range(count)]
    pieces = [number for share in shares for number in share.in_turn(share, 20)]
    assert sorted(pieces) == list(range(20))
    assert max(map(len, ([n for n in range(20) if n in s] for s in shares))) <= 20 // count + 1


@pytest.mark.parametrize("share", [WHOLE, Share(1, 3)])
def test_parts_of_a_share_are_that_share(share):
    parts = [share.part(index, 4) for index in range(4)]
    for number in range(60):
        assert sum(number in part for part in parts) == (number in share)


def test_a_share_is_named_as_people_count():
    assert Share.parse("2/4") == Share(1, 4)
    assert Share.parse(" 1 / 1 ") == WHOLE
    assert str(Share.parse("3/12")) == "3/12"


@pytest.mark.parametrize("text", ["", "2", "/4", "2/", "2-4", "a/b", "1.5/4", "-1/4", "2/4/8"])
def test_what_is_no_share_says_what_one_looks_like(text):
    with pytest.raises(ConfigError, match=r"is not of the form 2/4 \(the second of four\)"):
        Share.parse(text)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/0"])
def test_a_share_beyond_the_last_does_not_exist(text):
    with pytest.raises(ConfigError, match=rf"share {text} does not exist. Accepted: 1/N to N/N"):
        Share.parse(text)


def test_its_own_first_then_the_others_in_an_order_of_its_own():
    one, other = (WHOLE.in_turn(Share(index, 3), 60) for index in (0, 1))
    assert one[:20] == list(range(0, 60, 3))
    assert other[:20] == list(range(1, 60, 3))
    assert sorted(one) == sorted(other) == list(range(60))
    left = [number for number in one[20:] if number % 3 == 2]
    assert left != [number for number in other[20:] if number % 3 == 2], "two that help a third do the same"
    assert one == WHOLE.in_turn(Share(0, 3), 60)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, WHOLE),
        ({"RANK": "2", "WORLD_SIZE": "4"}, Share(2, 4)),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, Share(1, 2)),
        ({"RANK": "3"}, WHOLE),
        ({"RANK": "4", "WORLD_SIZE": "4"}, WHOLE),
        ({"RANK": "", "WORLD_SIZE": "two"}, WHOLE),
    ],
)
def test_what_launchers_say(said, expected, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert launched() == expected

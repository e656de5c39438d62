"""Durations as people write them, and moments on a clock that is set by hand."""

from __future__ import annotations

import pytest

from multitag.config import Config
from multitag.deadline import Deadline, parse_duration, said
from multitag.errors import ConfigError


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30m", 1800),
        ("90s", 90),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("1.5h", 5400),
        ("20 min", 1200),
        ("45", 45),
        (" 0.5 ", 0.5),
        (45, 45),
        (2.5, 2.5),
        ("2H", 7200),
    ],
)
def test_durations(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written", ["", "  ", "30x", "m", "30m1h", "-5", "0", "0s", 0, -1, True, None, "1h30", "nan", float("inf"), [1]]
)
def test_what_is_no_duration(written: object) -> None:
    with pytest.raises(ConfigError, match="Accepted: 30m, 90s, 2h, 1h30m"):
        parse_duration(written)


def test_a_time_limit_is_a_setting() -> None:
    config = Config().changed(["train.time_limit=1h30m"])
    assert config.train.time_limit == 5400
    assert Config.parse(config.values()) == config
    assert "time_limit" not in Config().values()["train"]
    with pytest.raises(ConfigError, match=r"\[train\] time_limit = 'soon': 'soon' is no duration above 0"):
        Config().changed(["train.time_limit=soon"])


def test_all_members_share_it() -> None:
    with pytest.raises(ConfigError, match=r"train\.time_limit: all members share it"):
        Config.parse({"ensemble": {"members": {"a": {"train": {"time_limit": 5}}}}})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (-3, "0 s"),
        (8.4, "8 s"),
        (99, "99 s"),
        (108, "1 min 50 s"),
        (120, "2 min"),
        (597, "10 min"),
        (840, "14 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert said(seconds) == words


def test_what_is_left() -> None:
    now = 1000.0
    deadline = Deadline.after(60, lambda: now)
    early = deadline.earlier(6)
    assert (deadline.left, early.left, early.limit) == (60, 54, 54)
    now += 20
    assert (deadline.left, deadline.spent, early.left, early.spent) == (40, 20, 34, 20)
    assert deadline.part(4).left == 10
    now += 35
    assert early.passed
    assert not deadline.passed
    now += 35
    assert deadline.passed
    assert deadline.part(3).left == 0

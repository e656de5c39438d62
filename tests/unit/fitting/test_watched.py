"""Work that cannot be done in time is stopped as soon as that can be foreseen."""

from __future__ import annotations

import pytest

from multitag.deadline import Deadline
from multitag.fitting.limits.watched import TooLong, watched
from multitag.progress import silent


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def work(limit: float, *, first: float, each: float, parts: int = 20) -> int:
    """Parts of 10, of which the first takes long; how many were told."""
    clock = Clock()
    deadline, done = Deadline.after(limit, clock), 0
    with watched(silent, deadline)("encoding", parts * 10) as advance:
        for part in range(parts):
            clock.now += each if part else first
            done += 1
            advance(10)
    return done


def test_what_fits_goes_on() -> None:
    assert work(60, first=5, each=2) == 20  # 43 s
    assert work(60, first=5, each=2.9) == 20  # 60.1 s: too little beyond to be sure of


def test_what_does_not_is_stopped_early() -> None:
    with pytest.raises(TooLong, match=r"encoding takes about 1 min 50 s more, and 49 s are left") as error:
        work(60, first=5, each=6)  # 18 more parts of 6 s, known after the first part of 6 s
    assert error.value.seconds == pytest.approx(18 * 6)


def test_how_long_the_first_part_takes_says_nothing() -> None:
    assert work(60, first=30, each=1) == 20


def test_the_end_is_never_too_late() -> None:
    """What is done is done."""
    assert work(10, first=5, each=6, parts=2) == 2

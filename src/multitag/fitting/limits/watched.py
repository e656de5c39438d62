"""Work whose end is foreseen while it goes on, so that what cannot be done in time is told early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from multitag.deadline import Deadline, OutOfTime, said
from multitag.progress import Advance, Progress

LOOK_SHARE, LOOK_SECONDS = 0.05, 3.0
"""Work is looked at for this share of the limit, or for so long, before its end is foreseen."""
_DOUBT = 1.2
"""What is foreseen to take longer than what is left by no more than this goes on."""


class TooLong(OutOfTime):
    """Work that cannot be done in time.

    Attributes:
        what: The work.
        seconds: What is left of it takes about so long.
    """

    def __init__(self, what: str, seconds: float, left: float) -> None:
        super().__init__(f"{what} takes about {said(seconds)} more, and {said(left)} are left")
        self.what, self.seconds = what, seconds


Late = Callable[[str, float], OutOfTime]
"""The error for work, and about how many seconds more it takes."""


def watched(progress: Progress, deadline: Deadline, *, late: Late | None = None) -> Progress:
    """Progress that stops work which cannot be done by a deadline, as soon as that can be foreseen.

    The first part of the work is not counted: that is where networks are made ready. Parts are told when they are done
    and kept, so nothing of them is lost.

    Args:
        progress: Told about the work.
        deadline: When it must be done.
        late: Makes another error than `TooLong`.

    Raises:
        TooLong: Out of the work, when it tells of a part.
    """

    def too_long(what: str, seconds: float) -> TooLong:
        return TooLong(what, seconds, deadline.left)

    @contextmanager
    def told(what: str, total: int, /) -> Iterator[Advance]:
        with progress(what, total) as advance:
            yield _foreseeing(advance, what, total, deadline, late or too_long)

    return told


def _foreseeing(advance: Advance, what: str, total: int, deadline: Deadline, late: Late) -> Advance:
    look = min(LOOK_SECONDS, LOOK_SHARE * deadline.limit)
    done = counted = 0
    since: float | None = None

    def told(more: int) -> None:
        nonlocal done, counted, since
        advance(more)
        done, now = done + more, deadline.clock()
        if since is None:
            since = now
            return
        counted += more
        spent = now - since
        if done >= total or spent < look or not counted:
            return
        needed = (total - done) * spent / counted
        if needed > deadline.left * _DOUBT:
            raise late(what, needed)

    return told

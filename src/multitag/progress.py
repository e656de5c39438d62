"""How long work tells what it has done: a context manager that gives a function to call with each step's size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Called with what is being done and how much of it there is; the work then reports each part done."""

    def __call__(self, what: str, total: int, /) -> AbstractContextManager[Advance]:
        """Start a piece of work."""
        ...


@contextmanager
def silent(what: str, total: int, /) -> Iterator[Advance]:
    """Progress that nobody sees."""
    yield lambda done: None


def within(where: str, progress: Progress) -> Progress:
    """Progress that says of which part the work is."""

    def told(what: str, total: int, /) -> AbstractContextManager[Advance]:
        return progress(f"{where}: {what}", total)

    return told

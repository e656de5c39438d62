"""Work on what comes next while the caller is still busy with what came before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from multitag import cores

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None, *, beyond: int = 0
) -> Iterator[Result]:
    """The result of each item, in their order, from threads that are at most `threads + beyond` items ahead.

    Args:
        work: Something that leaves Python's lock alone most of the time.
        items: Taken as they are needed, in the caller's thread.
        threads: How many work at once; two, or as many as there may be, where it is not said.
        beyond: How many more items are drawn and wait, done or not.
    """
    count = min(2, cores.threads()) if threads is None else threads
    pool = ThreadPoolExecutor(count, thread_name_prefix="multitag-ahead")
    try:
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > count + beyond:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

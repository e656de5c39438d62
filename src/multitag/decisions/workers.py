"""Blocks of work on all cores of this process: numpy lets go of the interpreter while it computes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def workers() -> int:
    """How many threads to use: the cores of this process, fewer where ``OMP_NUM_THREADS`` says so."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, int(limit))) if limit.isdigit() else cores


def map_blocks(function: Callable[[slice], Result], size: int, block: int) -> list[Result]:
    """Results of `function` for each slice of at most `block` out of `size`, in order."""
    parts = [slice(start, min(start + block, size)) for start in range(0, size, block)]
    threads = min(workers(), len(parts))
    if threads <= 1:
        return [function(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, parts))

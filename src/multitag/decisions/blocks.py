"""Blocks of work on all cores of this process: numpy lets go of the interpreter while it computes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from multitag.cores import threads

Result = TypeVar("Result")


def map_blocks(function: Callable[[slice], Result], size: int, block: int) -> list[Result]:
    """Results of `function` for each slice of at most `block` out of `size`, in order."""
    parts = [slice(start, min(start + block, size)) for start in range(0, size, block)]
    count = min(threads(), len(parts))
    if count <= 1:
        return [function(part) for part in parts]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(function, parts))

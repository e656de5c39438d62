"""How much memory there is, and that what every step frees and asks for again stays with the process in between."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path

import psutil

_TRIM, _MMAP_MAX = -1, -4
"""`M_TRIM_THRESHOLD` and `M_MMAP_MAX` of glibc's malloc.h."""
_KEPT = (1 << 31) - 1
"""Two gigabytes may be kept, the most that glibc can be told."""
_GROUP = Path("/sys/fs/cgroup")
_LIMITS = (
    ("memory.max", "memory.current", ("inactive_file", "active_file")),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
)
"""Where control groups say how much there may be, how much there is, and what of it files' pages are: of the second
version, and of the first."""
_OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "GLIBC_TUNABLES")


def free_memory() -> int:
    """Bytes that this process may still take: what the machine has, less where a container's limit is."""
    free = int(psutil.virtual_memory().available)
    for limit, used, cached in _LIMITS:
        try:
            most, taken = (int((_GROUP / name).read_text()) for name in (limit, used))
        except (OSError, ValueError):  # no control groups of this kind here, or "max"
            continue
        return min(free, max(0, most - taken + _cached(_GROUP / limit, cached)))
    return free


def _cached(beside: Path, fields: tuple[str, ...]) -> int:
    """Bytes of files' pages: a container counts them as used, and gives them up for who asks for memory."""
    try:
        lines = [line.split() for line in beside.with_name("memory.stat").read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(size) for name, size in lines if name in fields)


@cache
def keep_freed() -> bool:
    """Let the C library keep what is freed, up to two gigabytes, for the rest of the process.

    Untold, glibc gives it back to the system after each layer, and has every page of it cleared again for the next: a
    third of a step of an encoder that trains on a processor, half of one on pictures of 512 pixels. Nothing happens
    where the user has set this, or where the C library is another one.

    Returns:
        Whether it does now.
    """
    if any(name in os.environ for name in _OWN):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # not glibc: macOS, Windows, musl
        return False
    mallopt.argtypes, mallopt.restype = (ctypes.c_int, ctypes.c_int), ctypes.c_int
    # No piece is mapped on its own: by size alone, those of more than 32 MB would be whatever glibc is told.
    return bool(mallopt(_MMAP_MAX, 0) and mallopt(_TRIM, _KEPT))

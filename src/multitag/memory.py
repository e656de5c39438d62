"""Memory that every step frees and asks for again stays with the process in between."""

from __future__ import annotations

import ctypes
import os
from functools import cache

_TRIM, _MMAP = -1, -3
"""`M_TRIM_THRESHOLD` and `M_MMAP_THRESHOLD` of glibc's malloc.h."""
_KEPT, _LARGEST = 1 << 30, 32 << 20
"""A gigabyte may be kept; 32 MB is the largest piece that glibc lets come from what is kept."""
_OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed() -> bool:
    """Let the C library keep what is freed, up to a gigabyte, for the rest of the process.

    Untold, glibc gives it back to the system after each layer, and has every page of it cleared again for the next: a
    third of a step of an encoder that trains on a processor. Nothing happens where the user has set this, or where
    the C library is another one.

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
    # Both: to set the trim threshold alone ends glibc's own growing of the other, and makes all slower.
    return bool(mallopt(_MMAP, _LARGEST) and mallopt(_TRIM, _KEPT))

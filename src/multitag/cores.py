"""How many threads there may be: never more than the cores this process may use, and fewer where it is told so."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
"""What torch, BLAS, tokenizers and polars read before they start their threads."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """The cores this process may use: those it is bound to, fewer where a container's quota is."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, _allowed() or bound))


def threads() -> int:
    """How many threads a piece of work may use: `cores`, fewer where ``OMP_NUM_THREADS`` says so."""
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores(), int(limit))) if limit.isdigit() else cores()


def limit_threads(count: int) -> None:
    """Let torch, BLAS, tokenizers, polars and our own pools use so many threads; before any of them is imported."""
    for name in VARIABLES:
        os.environ[name] = str(count)


def settle_threads() -> None:
    """How many threads there are and how they wait, where nobody has set it; what each command does first.

    They spin some microseconds for each other, then sleep: spinning on, as they do untold, slows training several
    times where the machine is shared; sleeping at once costs a quarter of it where it is not.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    for name in VARIABLES:  # not all that starts threads sees a container's share of a machine
        os.environ.setdefault(name, str(cores()))


def _allowed() -> int | None:
    """Whole cores' worth of time that a control group (a container) grants, part of one counting as one."""
    try:
        quota, period = _QUOTA.read_text().split()
        return -(-int(quota) // int(period))
    except (OSError, ValueError):  # no control groups here, or "max"
        return None

"""Work for the workers of studies: a process of its own must be able to import it."""

from __future__ import annotations

import os
import signal
from typing import Any

from multitag.errors import MultitagError


def twice(shared: int, job: Any, ask: Any) -> Any:
    """`job` times 2 plus what is shared; some jobs end otherwise."""
    if job == "refused":
        raise MultitagError("this cannot be done")
    if job == "broken":
        raise ZeroDivisionError("a fault")
    if job == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job == "asks":
        return ask("what?")
    if job == "threads":
        import torch

        return torch.get_num_threads()
    return 2 * job + shared

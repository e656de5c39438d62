"""Where the time of a fit goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds by stage.

    Attributes:
        seconds: Of each stage, in the order of their first start.
        stage: The stage at work, or the last one.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    stage: str = ""

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Count the block's time to a stage."""
        self.stage, started = stage, time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started

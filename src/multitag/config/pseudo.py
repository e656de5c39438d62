"""The [pseudo] section: how a model teaches its successor with rows that have no labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from multitag.config.base import Section

Probability = Annotated[float, Field(ge=0, le=1)]


class PseudoConfig(Section):
    """Which answers of a teacher become labels, how much rows with such labels count, and how often this is done."""

    high: Probability = 0.9
    low: Probability = 0.1
    weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    rounds: Annotated[int, Field(ge=1, le=10)] = 1

    def faults(self, loss: str, *, joins_rows: bool) -> list[str]:
        """What is wrong with these settings beside the loss.

        Args:
            loss: Its name.
            joins_rows: Whether it joins the rows of a batch, so that none can be weighed.
        """
        faults = []
        if self.low >= self.high:
            faults.append(
                f"[pseudo] low = {self.low}: it must be below high = {self.high}, with what is not known between them."
            )
        if joins_rows and self.weight not in (0, 1):
            faults.append(
                f"[pseudo] weight = {self.weight}: the loss '{loss}' joins the rows of a batch and cannot weigh them. "
                f"Fix: --set pseudo.weight=1, or another loss"
            )
        return faults

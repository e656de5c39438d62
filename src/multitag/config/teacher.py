"""The [teacher] section: how much a fitted run's answers count beside the labels of the rows."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from multitag.config.base import Section


class TeacherConfig(Section):
    """How a student learns from a fitted run."""

    weight: Annotated[float, Field(ge=0, le=1)] = 0.3

    def faults(self, loss: str, *, takes_shares: bool) -> list[str]:
        """What is wrong with these settings beside the loss.

        Args:
            loss: Its name.
            takes_shares: Whether its targets may lie between 0 and 1.
        """
        if takes_shares or self.weight == 0:
            return []
        return [
            f"[teacher] a teacher's answers are probabilities, and the loss '{loss}' takes targets of 0 and 1 alone. "
            f"Fix: another loss, such as bce"
        ]

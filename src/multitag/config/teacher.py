"""The [teacher] section: how much a fitted run's answers count beside the labels of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from multitag.config.base import Section


class TeacherConfig(Section):
    """How a student learns from a fitted run."""

    weight: Annotated[float, Field(ge=0, le=1)] = 0.7

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


def misplaced(
    sections: Sequence[TeacherConfig | None], *, wanted: bool, trains: bool, pool: bool, pseudo: bool
) -> str | None:
    """Why a teacher, or none, does not go with a configuration; `None` where it does.

    Args:
        sections: Of the configuration and of its members.
        wanted: Whether there is a teacher.
        trains: Whether anything is trained.
        pool: Whether there are rows without labels.
        pseudo: Whether there is a [pseudo] section.
    """
    weights = [section.weight for section in sections if section is not None]
    if not wanted:
        if not weights:
            return None
        return (
            "[teacher] says how a student learns from a fitted run, and there is none. "
            "Fix: --teacher RUN (teacher=...), or leave the section out"
        )
    if not trains:
        return (
            "all members of the ensemble are fitted runs: nothing is trained, and a teacher teaches nothing. "
            "Fix: leave out --teacher"
        )
    if pseudo:
        return (
            "[pseudo] is for a teacher that is trained along with its student, and --teacher gives one that is "
            "fitted already. Fix: leave out the section, or --teacher"
        )
    if pool and 0 in weights:
        return (
            "teacher.weight = 0 asks the teacher nothing, and rows without labels are learned from by its answers "
            "alone. Fix: leave out --unlabeled, or --set teacher.weight=0.7"
        )
    return None

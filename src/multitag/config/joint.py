"""The [joint] section: what is learned of the whole row while its spans are learned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from multitag.config.base import Section


class JointConfig(Section):
    """A second head on the pooled vector says which labels the row has, and is trained beside the one on tokens.

    It always learns which labels the row's spans bear; with `labels` ``"both"`` also the labels that the table gives
    the row itself, where it does (SemEval-2021's tasks 1 and 3 beside task 2).
    """

    weight: Annotated[float, Field(gt=0)] = 0.5
    labels: Literal["both", "spans"] = "both"
    gate: Annotated[float, Field(ge=0, le=1)] = 0.0
    names: tuple[str, ...] = ()
    """The rows' own labels; a training fills them in."""

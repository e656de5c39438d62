"""When the networks of a configuration must be trained, and what is done with one that is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from multitag.deadline import Deadline
from multitag.fitting.limits.budget import least_epochs
from multitag.training.run import Halt


@dataclass
class Limit:
    """The time that networks which are trained one after another have together.

    Each has a like part of the time that is left: one that is slow takes nothing from those after it.

    Attributes:
        deadline: When the last of them must be done.
        needed: Whether there must be a result whatever happens: each network trains an epoch at least. Others are
            dropped where the first has not trained a share of its epochs that is worth it when all the time is over;
            where it has, an epoch of those after it is enough, for its work would be lost with theirs.
        networks: How many are still to be trained.
        begun: Whether one was trained already.
    """

    deadline: Deadline
    needed: bool
    networks: int
    begun: bool = False

    def next(self, lengths: Sequence[int]) -> Halt:
        """When the next network must be done, which has stages of so many epochs."""
        part = self.deadline.part(self.networks)
        enough = 1 if self.begun else least_epochs(lengths)
        self.networks, self.begun = self.networks - 1, True
        return Halt(part) if self.needed else Halt(part, enough, self.deadline)

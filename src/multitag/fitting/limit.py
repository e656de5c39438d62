"""When the networks of a configuration must be trained, and what is done with one that is late."""

from __future__ import annotations

from dataclasses import dataclass

from multitag.deadline import Deadline
from multitag.training.run import Late


@dataclass
class Limit:
    """The time that networks which are trained one after another have together.

    Attributes:
        deadline: When the last of them must be done.
        late: What is done with one that is not. Where it stops, each network has a like part of the time that is left:
            one that is slow takes nothing from those after it. Where all is dropped, each has all of it.
        networks: How many are still to be trained.
    """

    deadline: Deadline
    late: Late
    networks: int

    def next(self) -> Deadline:
        """When the next network must be done."""
        part = self.deadline if self.late == "drop" else self.deadline.part(self.networks)
        self.networks -= 1
        return part

"""How many epochs fit into the time that is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

LEAST_EPOCHS = 2
LEAST_SHARE = 1 / 3
"""A training is shortened to no fewer epochs than this, nor to a smaller share of what was asked for."""


class Cost(NamedTuple):
    """What a training takes.

    Attributes:
        fixed: Seconds beside the epochs, of all its networks.
        epoch: Seconds of an epoch of all its networks.
        lengths: The epochs of each stage that were asked for.
        at_a_time: How many networks train at a time.
        takes_one_more: Whether one that would be left alone trains beside the last of these.
    """

    fixed: float
    epoch: float
    lengths: tuple[int, ...]
    at_a_time: int = 1
    takes_one_more: bool = False

    def seconds(self, lengths: Sequence[int] | None = None) -> float:
        """Of the training with so many epochs; early stopping may spare some of it."""
        return self.fixed + self.epoch * sum(self.lengths if lengths is None else lengths)

    def turns(self, networks: int) -> float:
        """How many times as long so many networks take as those at a time."""
        whole, left = divmod(networks, self.at_a_time)
        if left == 1 and whole and self.takes_one_more:
            return whole + left / self.at_a_time
        return whole + bool(left)


def cheaper(one: Cost, other: Cost) -> Cost:
    """What a training takes that was timed twice: a busy machine makes it look longer, nothing makes it shorter."""
    return one._replace(fixed=min(one.fixed, other.fixed), epoch=min(one.epoch, other.epoch))


def least_epochs(lengths: Sequence[int]) -> int:
    """The fewest epochs that are worth training; one a stage at least."""
    asked = sum(lengths)
    return min(asked, max(LEAST_EPOCHS, math.ceil(asked * LEAST_SHARE), len(lengths)))


def shortened(lengths: Sequence[int], epochs: int) -> tuple[int, ...]:
    """Stages of `epochs` epochs in all, each of its share; one at least."""
    asked = sum(lengths)
    return tuple(max(1, length * epochs // asked) for length in lengths)


def fitting(cost: Cost, left: float, *, least: int) -> tuple[int, ...] | None:
    """The epochs of each stage that fit into `left` seconds; `None` where not even the `least` do."""
    if cost.seconds() <= left:
        return cost.lengths
    room = left - cost.fixed
    if room < least * cost.epoch or sum(cost.lengths) <= least:
        return None
    return shortened(cost.lengths, min(sum(cost.lengths), math.floor(room / cost.epoch)))

"""In how many folds, and for how many epochs, a member may be trained in the time that is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from multitag.config import Config
from multitag.fitting.limits.budget import Cost, fitting, least_epochs
from multitag.fitting.limits.costs import larger, tunes
from multitag.fitting.sides import Sides

FEWER_FOLDS, LEAST_FOLDS = 3, 2
"""A member that trains encoders has as many folds as its share of the time lets train all epochs, at least the first.
Where these take too long with fewer epochs, too, it has the second."""
FIRST_ROWS, MOST_SEEN = 2000, 4
"""The first folds alone are trained where they have so many rows at least, of so many folds at least."""
NEARLY_WHOLE = 0.75
"""With fewer of its epochs the next member that trains encoders is not worth the time that this one leaves it."""


class Choice(NamedTuple):
    """How a member may be trained: in so many folds, in the first so many of them, and for so many epochs; `None` where
    these are all that were asked for."""

    networks: int
    folds: int | None
    first: int | None
    cost: Cost
    lengths: tuple[int, ...]

    @property
    def fewer(self) -> bool:
        """Whether there are fewer networks than were asked for."""
        return self.folds is not None or self.first is not None


def choices_of(config: Config, cost: Cost, sides: Sides) -> Iterator[Choice]:
    """A member in all epochs and the folds asked for, then in fewer and fewer where its encoders train.

    Last in the first folds alone of those asked for, where their rows are enough to join members by: its networks
    see more of the rows than in two or three folds.

    Args:
        config: The member's.
        cost: What it takes as it was asked for.
        sides: The rows.
    """
    asked, seeds = config.train.fold_count, config.train.seeds
    yield Choice(asked, None, None, cost, cost.lengths)
    if tunes(config):

        def turns(folds: int) -> float:
            """How often all rows are gone through in an epoch of so many folds, those at a time as one."""
            return cost.turns(folds * seeds) * (folds - 1) / folds

        for folds in range(asked - 1, LEAST_FOLDS - 1, -1):
            fewer = cost._replace(epoch=cost.epoch * turns(folds) / turns(asked))
            yield Choice(folds, folds, None, fewer, cost.lengths)
        first = max(2, cost.at_a_time)
        if MOST_SEEN <= asked > first and sides.pool is None and len(sides.every) * first >= FIRST_ROWS * asked:
            share = cost.turns(first * seeds) / cost.turns(asked * seeds)
            yield Choice(first, None, first, cost._replace(epoch=cost.epoch * share), cost.lengths)


def choose(
    config: Config, cost: Cost, sides: Sides, left: float, *, to_come: Sequence[Config] = (), encoding: float = 0.0
) -> Choice | None:
    """The folds and epochs of a member; `None` where not even the fewest fit.

    Args:
        config: The member's.
        cost: What it takes as it was asked for.
        sides: The rows.
        left: Seconds that it may take, with those to come.
        to_come: The configurations of the members after it.
        encoding: Seconds that encoding for it took: one to come, on larger pictures, takes more.
    """
    choices = list(choices_of(config, cost, sides))
    enough = [each for each in choices if each.networks >= FEWER_FOLDS or each.first is not None]
    share, later = left, [larger(other, config) for other in to_come if tunes(other)]
    if later:
        fewest = min(each.cost.seconds() for each in enough or choices)
        if left - fewest >= later[0] * (NEARLY_WHOLE * fewest + encoding):
            share = left / (1 + sum(later))
    for choice in enough:
        if choice.cost.seconds() <= share:
            return choice
    for choice in sorted(choices, key=lambda each: each.first is None):
        lengths = fitting(choice.cost, left, least=least_epochs(cost.lengths))
        if lengths is not None and (choice.networks <= FEWER_FOLDS or choice.first or len(choices) == 1):
            return choice._replace(lengths=lengths)
    return None


def shortest(config: Config, cost: Cost, sides: Sides) -> float:
    """Seconds of the fewest epochs of a member in the fewest networks; arguments as of `choose`."""
    least = [least_epochs(cost.lengths)]
    return min(each.cost.seconds(least) for each in choices_of(config, cost, sides))

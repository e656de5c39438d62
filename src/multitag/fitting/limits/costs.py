"""What the training of all networks of a configuration takes."""

from __future__ import annotations

from typing import Any

from multitag.config import Config
from multitag.features.rows import Rows
from multitag.fitting.fitter import Fitter, Needed
from multitag.fitting.folding import make_folds
from multitag.fitting.limits.budget import Cost
from multitag.fitting.sides import Sides


def trainings(config: Config, *, students: bool) -> int:
    """How many networks are trained, those that only predict out of fold included."""
    count = config.networks
    if config.train.fold_count < 2 and config.decision.fit_on == "out_of_fold":
        count += config.decision.folds * config.train.seeds
    rounds = 0 if config.pseudo is None else config.pseudo.rounds
    return count * (1 + rounds) if students else count


def cost_of(
    config: Config, needed: Needed, *, students: bool, at_a_time: int = 1, takes_one_more: bool = False
) -> Cost:
    """What all networks of a configuration take, where one takes so much; the others are as of `Cost`."""
    one = Cost(needed.fixed, needed.epoch, needed.lengths, at_a_time, takes_one_more)
    turns = one.turns(trainings(config, students=students))
    return one._replace(fixed=turns * needed.fixed, epoch=turns * needed.epoch)


def network_rows(fitter: Fitter, sides: Sides) -> tuple[Rows, Rows]:
    """What the first network is trained on, and what it is judged by."""
    count = fitter.config.train.fold_count
    if count < 2:
        return sides.trained, sides.held
    part = make_folds(fitter, sides.every, count)[0]
    return sides.every.take(part.train_indices.tolist()), sides.every.take(part.held_indices.tolist())


def tunes(config: Config) -> bool:
    """Whether encoders train: that takes minutes where heads take seconds."""
    return not all(encoder.frozen for encoder in config.encoders.values())


def larger(one: Config, other: Config) -> float:
    """How many times the places in one's pictures are those in the other's, whose encoders train on them."""

    def area(config: Config) -> float:
        sizes = [float(each.options.get("size", 0)) for each in config.encoders.values() if not each.frozen]
        return max(sizes, default=0.0) ** 2

    return area(one) / area(other) if area(one) and area(other) else 1.0


def alike(one: Config, other: Config) -> bool:
    """Whether encoders train in both, and the two differ in the size of their pictures alone."""

    def rest(config: Config) -> dict[str, Any]:
        values = config.model_dump(mode="json")
        for section in values["encoders"].values():
            section.pop("size", None)
        return values

    return tunes(one) and tunes(other) and rest(one) == rest(other)

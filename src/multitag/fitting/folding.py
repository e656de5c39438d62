"""The fitter of a member, and what it is with fewer folds, or none."""

from __future__ import annotations

from dataclasses import replace

from multitag.config import Config
from multitag.data.split import split
from multitag.fitting.fitter import Fitter
from multitag.fitting.sides import Sides


def member_fitter(fitter: Fitter, name: str, member: Config) -> Fitter:
    """The fitter of a member of an ensemble."""
    return replace(fitter, config=member, prefix=f"{name}-", fold_seed=fitter.config.seed)


def in_folds(fitter: Fitter, folds: int | None) -> Fitter:
    """The fitter of a member with so many folds; as it is for `None`."""
    if folds is None:
        return fitter
    config = fitter.config
    return replace(fitter, config=config.model_copy(update={"train": config.train.model_copy(update={"folds": folds})}))


def without_folds(fitter: Fitter, sides: Sides) -> tuple[Fitter, Sides]:
    """One network, which chooses by a validation table or by a share of the rows, in place of folds."""
    config = fitter.config
    config = config.model_copy(update={"train": config.train.model_copy(update={"folds": 0})})
    fitter = replace(fitter, config=config)
    trained, held = sides.every, sides.held
    if sides.scored == "out_of_fold":
        parts = split(trained.samples, fitter.space, config.data.valid_share, config.seed, copies=trained.hashes)
        trained, held = trained.take(parts.train_indices.tolist()), trained.take(parts.held_indices.tolist())
    out_of_fold = config.decision.fit_on == "out_of_fold"
    chosen = sides.every if out_of_fold else held
    return fitter, sides._replace(trained=trained, held=held, chosen=chosen, scored="held_out")

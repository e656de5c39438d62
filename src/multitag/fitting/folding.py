"""The folds of the rows; the fitter of a member, and what it is with fewer folds, or none."""

from __future__ import annotations

from dataclasses import replace

from multitag.config import Config
from multitag.data.split import Split, folds, split
from multitag.features.rows import Rows
from multitag.fitting.fitter import Fitter
from multitag.fitting.sides import Sides


def make_folds(fitter: Fitter, rows: Rows, count: int) -> list[Split]:
    """`count` splits of the rows; copies of a picture and rows of a group are in one fold.

    The same rows and the same seed give the same folds, whatever is trained on them.

    Raises:
        DataError: There are too few rows for so many folds.
    """
    seed = fitter.config.seed if fitter.fold_seed is None else fitter.fold_seed
    return folds(rows.samples, fitter.space, count, seed, copies=rows.hashes)


def member_fitter(fitter: Fitter, name: str, member: Config) -> Fitter:
    """The fitter of a member of an ensemble."""
    return replace(fitter, config=member, prefix=f"{name}-", fold_seed=fitter.config.seed)


def in_folds(fitter: Fitter, count: int | None, first: int | None = None) -> Fitter:
    """The fitter of a member with so many folds, of which the first so many are trained; as it is for `None`."""
    fitter = replace(fitter, first=first)
    if count is None:
        return fitter
    config = fitter.config
    return replace(fitter, config=config.model_copy(update={"train": config.train.model_copy(update={"folds": count})}))


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

"""Train and held-out rows: stratified over labels, never cutting a group or a picture's copies apart.

Iterative stratification: Sechidis, Tsoumakas, Vlahavas, On the Stratification of Multi-Label Data, ECML PKDD
2011.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.data.units import units
from multitag.errors import DataError
from multitag.types import LabelSpace, Sample


class Split(NamedTuple):
    """Row indices of the two sides, each ascending: (n,) to train on and (m,) held out."""

    train_indices: npt.NDArray[np.intp]
    held_indices: npt.NDArray[np.intp]


def split(
    samples: Sequence[Sample],
    space: LabelSpace,
    share: float,
    seed: int,
    *,
    copies: Sequence[str | None] | None = None,
) -> Split:
    """Hold out about `share` of the rows, each label in about the same proportion on both sides.

    Units (see `units`) stay on one side, so the share is of units. A unit without a row whose labels are
    known goes to the train side, and so does, as far as others are left to hold out, one with a label that no
    other unit has. The same rows in another order are split the same way.

    Args:
        samples: N rows.
        space: The labels to stratify over.
        share: The part held out, between 0 and 1.
        seed: The same seed gives the same split.
        copies: Per row, a value that exact copies share (`ImageReport.hashes`).

    Raises:
        DataError: `share` is not within 0 and 1, or fewer than two units have known labels.
    """
    if not 0 < share < 1:
        raise DataError(f"the share of rows held out must be between 0 and 1, not {share}.")
    known, unlabelled = _known(samples, copies)
    if len(known) < 2:
        raise DataError(_too_few(samples, known, 2))
    targets = _targets(samples, space, known)
    alone = targets[:, targets.sum(axis=0) == 1].any(axis=1)
    free = np.flatnonzero(~alone) if not alone.all() else np.arange(len(known))
    wanted = len(known) * share
    side = np.zeros(len(known), np.intp)
    side[free] = _stratified(targets[free], [max(len(free) - wanted, 0.0), wanted], seed)
    _fill_empty(side, free, seed)
    train = [unit for unit, held in zip(known, side, strict=True) if not held]
    return Split(_rows([*train, *unlabelled]), _rows(known[k] for k in np.flatnonzero(side)))


def folds(
    samples: Sequence[Sample],
    space: LabelSpace,
    k: int,
    seed: int,
    *,
    copies: Sequence[str | None] | None = None,
) -> list[Split]:
    """`k` splits in which each row of a unit with known labels is held out exactly once.

    Args:
        samples: N rows.
        space: The labels to stratify over.
        k: The number of folds, at least 2.
        seed: The same seed gives the same folds.
        copies: As of `split`.

    Raises:
        DataError: `k` is below 2, or there are fewer than `k` units with known labels.
    """
    if k < 2:
        raise DataError(f"the number of folds must be at least 2, not {k}.")
    known, unlabelled = _known(samples, copies)
    if len(known) < k:
        raise DataError(_too_few(samples, known, k))
    fold = _stratified(_targets(samples, space, known), [len(known) / k] * k, seed)
    for empty in sorted(set(range(k)) - set(fold.tolist())):
        fold[np.flatnonzero(fold == np.bincount(fold, minlength=k).argmax())[0]] = empty
    return [
        Split(
            _rows([*(known[u] for u in np.flatnonzero(fold != held)), *unlabelled]),
            _rows(known[u] for u in np.flatnonzero(fold == held)),
        )
        for held in range(k)
    ]


def _known(samples: Sequence[Sample], copies: Sequence[str | None] | None) -> tuple[list[list[int]], list[list[int]]]:
    """Units with a row whose labels are known, and the others."""
    known: list[list[int]] = []
    unlabelled: list[list[int]] = []
    for unit in units(samples, copies):
        labelled = any(samples[row].labels is not None for row in unit)
        (known if labelled else unlabelled).append(unit)
    return known, unlabelled


def _targets(samples: Sequence[Sample], space: LabelSpace, known: list[list[int]]) -> npt.NDArray[np.bool_]:
    """(U, K): whether any row of a unit is known to have a label."""
    targets = np.zeros((len(known), len(space)), bool)
    for u, unit in enumerate(known):
        targets[u] = (space.encode([samples[row] for row in unit]) == 1).any(axis=0)
    return targets


def _stratified(targets: npt.NDArray[np.bool_], sizes: Sequence[float], seed: int) -> npt.NDArray[np.intp]:
    """For each unit the part it is in; `sizes` are the wanted numbers of units."""
    from iterstrat.ml_stratifiers import IterativeStratification  # scikit-learn's import takes half a second

    random = np.random.RandomState(seed)
    order = random.permutation(len(targets))
    part = np.empty(len(targets), np.intp)
    shares = np.asarray(sizes, float) / sum(sizes)
    part[order] = IterativeStratification(targets[order], shares, random)
    return part


def _fill_empty(side: npt.NDArray[np.intp], free: npt.NDArray[np.intp], seed: int) -> None:
    """Move one unit where a side is empty, which rounding does to tiny tables."""
    for want in (0, 1):
        if not (side == want).any():
            side[np.random.RandomState(seed).choice(free)] = want


def _rows(parts: Iterable[list[int]]) -> npt.NDArray[np.intp]:
    return np.sort(np.array([row for part in parts for row in part], np.intp))


def _too_few(samples: Sequence[Sample], known: list[list[int]], need: int) -> str:
    return (
        f"{len(samples)} rows hold {len(known)} units with known labels (rows of one group and copies of one "
        f"picture are one unit), too few to split into {need}. Fix: more rows, or a table to validate on."
    )

"""Networks trained from several seeds and on all folds but one; what they say of rows that they did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from multitag.data.split import Split
from multitag.features.rows import Rows
from multitag.fitting.fitter import Fitter, Trained
from multitag.fitting.folding import make_folds
from multitag.fitting.side_by_side import Piece, train_ahead
from multitag.inference import gathered
from multitag.interrupts import Interrupted
from multitag.networks import averaged
from multitag.progress import Progress, within
from multitag.tasks.base import Logits

_NOTHING: Mapping[str, Logits] = MappingProxyType({})
OnEpoch = Callable[[dict[str, Any]], None]


def each_seed(
    fitter: Fitter,
    name: str,
    rows: Rows,
    held: Rows,
    *,
    epochs: Sequence[Sequence[int]] | None = None,
    known: Mapping[str, Logits] = _NOTHING,
    progress: Progress,
    on_epoch: OnEpoch = lambda row: None,
) -> list[Trained]:
    """Train a network on the same rows from each of the configuration's seeds.

    Where there are rows without labels, each is taught the part's own lesson, and what they say of these rows together
    is taken down.

    Args:
        fitter: Trains the networks.
        name: Of the part, and of the first one's checkpoint and history.
        rows: The rows to train on.
        held: The rows that choose the best epoch, and whose logits are wanted.
        epochs: How long each is trained, without looking at `held`.
        known: What those say of `held` that were trained before, side by side.
        progress: Told about each stage, which seed it is of included.
        on_epoch: Called with the history row of each epoch.

    Raises:
        Interrupted: Ctrl-C; the message says at which seed.
    """
    count, lessons = fitter.config.train.seeds, fitter.lessons
    trained = []
    for number, piece in enumerate(_pieces(fitter, name, rows, held, epochs)):
        named = piece.named
        with part_of(f"seed {number + 1} of {count}" if count > 1 else "", progress) as told:
            found = fitter.train(
                piece.name,
                rows,
                held,
                seed=piece.seed,
                epochs=piece.epochs,
                taught=piece.taught,
                known=known.get(piece.name),
                progress=told,
                on_epoch=lambda row, named=named: on_epoch({**named, **row}),  # type: ignore[misc]
            )
        trained.append(replace(found, history=[{**named, **row} for row in found.history]))
    if lessons is not None and lessons.asked:
        said = [fitter.predict(each.network, lessons.pool, progress=progress, stage="teaching") for each in trained]
        lessons.answers[name] = averaged(said)
    return trained


def _pieces(
    fitter: Fitter, name: str, rows: Rows, held: Rows, epochs: Sequence[Sequence[int]] | None
) -> Iterator[Piece]:
    """The networks of `each_seed`."""
    count, taught = fitter.config.train.seeds, None if fitter.lessons is None else fitter.lessons.taught.get(name)
    for number in range(count):
        own = name if number == 0 else f"{name}-seed{number + 1}"
        named = {"model": own} if count > 1 or name != "main" else {}  # a single network needs no name
        length = None if epochs is None else epochs[number]
        yield Piece(own, rows, held, fitter.config.seed + number, length, taught, named)


def each_fold(
    fitter: Fitter,
    rows: Rows,
    parts: Sequence[Split],
    *,
    epochs: Sequence[Sequence[int]] | None = None,
    progress: Progress,
    on_epoch: OnEpoch = lambda row: None,
) -> Iterator[tuple[Split, list[Trained]]]:
    """For each fold, networks trained on all rows outside it, one a seed; their logits are of the rows in it.

    Args:
        fitter: Trains the networks.
        rows: N labelled rows.
        parts: The folds, of `make_folds`.
        epochs: How long the networks of each seed are trained; where it is `None`, the fold left out chooses.
        progress: Told about each stage, which fold it is of included.
        on_epoch: Called with the history row of each epoch.

    Raises:
        Interrupted: Ctrl-C; the message says in which fold.
    """
    cut = [(rows.take(part.train_indices.tolist()), rows.take(part.held_indices.tolist())) for part in parts]
    names = [f"fold{number}" for number in range(1, len(parts) + 1)]
    pieces = [piece for name, sides in zip(names, cut, strict=True) for piece in _pieces(fitter, name, *sides, epochs)]
    known = train_ahead(fitter, pieces, progress=progress, on_epoch=on_epoch)
    for number, (part, name, sides) in enumerate(zip(parts, names, cut, strict=True), 1):
        with part_of(f"fold {number} of {len(parts)}", progress) as told:
            found = each_seed(fitter, name, *sides, epochs=epochs, known=known, progress=told, on_epoch=on_epoch)
        yield part, found


def out_of_fold(fitter: Fitter, rows: Rows, *, epochs: Sequence[Sequence[int]], progress: Progress) -> Logits:
    """Logits (N, K) of rows by networks that did not see them, which are dropped afterwards.

    Args:
        fitter: Trains the networks, as many as the [decision] section says.
        rows: N labelled rows.
        epochs: How long the network of each seed is trained: as long as the main one was.
        progress: Told about each stage.

    Raises:
        DataError: There are too few rows for so many folds.
        Interrupted: Ctrl-C; the message says in which fold.
    """
    parts = make_folds(fitter, rows, fitter.config.decision.folds)
    said = [
        (part.held_indices, averaged([trained.logits for trained in found]))
        for part, found in each_fold(fitter, rows, parts, epochs=epochs, progress=progress)
    ]
    return gathered(len(rows), len(fitter.space), said)


@contextmanager
def part_of(where: str, progress: Progress) -> Iterator[Progress]:
    """Progress, and interruptions, that say of which part the work is; ``""`` says nothing."""
    try:
        yield within(where, progress) if where else progress
    except Interrupted as error:
        if not where:
            raise
        raise Interrupted(f"{where}: {error}") from error

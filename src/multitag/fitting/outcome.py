"""All networks of a configuration trained, and what they say of rows that they were not trained on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.features.rows import Rows
from multitag.fitting.copies import kept_keys, row_keys
from multitag.fitting.fitter import Fitter, Trained
from multitag.fitting.label_checks import always_labelled
from multitag.fitting.out_of_fold import OnEpoch, each_fold, each_seed, make_folds, out_of_fold
from multitag.fitting.pseudo_labels import PseudoCounts
from multitag.fitting.sides import Sides
from multitag.inference import gathered
from multitag.networks import Network, Networks, averaged
from multitag.pipeline import NO_KEYS, HeldOut, Pipeline
from multitag.progress import Progress
from multitag.tasks.base import Logits


@dataclass(frozen=True)
class Generation:
    """A teacher or a student.

    Attributes:
        pipeline: Its networks, with a calibration and decision of its own.
        scored: Its logits (M, K) of the rows that scores are given of.
        counts: How many pseudo-labels it was taught; `None` for the first teacher.
    """

    pipeline: Pipeline
    scored: Logits
    counts: PseudoCounts | None


@dataclass(frozen=True)
class Outcome:
    """What a training leaves.

    Attributes:
        pipeline: The networks, with calibration and decision fitted.
        networks: The networks alone.
        chosen: Logits (N, K) of the rows that calibration and decision are fitted on.
        scored: Logits (M, K) of the rows that scores are given of.
        history: A row for each epoch of each network.
        members: Of an ensemble, each member with its own logits (M, K) of the rows that scores are given of.
        generations: Where students were trained, the teacher and they, in turn.
    """

    pipeline: Pipeline
    networks: tuple[Network, ...]
    chosen: Logits
    scored: Logits
    history: list[dict[str, Any]]
    members: dict[str, tuple[Pipeline, Logits]] = field(default_factory=dict)
    generations: dict[str, Generation] = field(default_factory=dict)


def train_all(fitter: Fitter, sides: Sides, *, progress: Progress, on_epoch: OnEpoch) -> Outcome:
    """Train the networks that a configuration asks for: one, one a seed, one a fold, or one a fold and seed.

    Without folds, `sides.held` choose the epoch of each network, and calibration and decision are fitted on them or
    out of fold. With folds, a network's own left-out fold chooses its epoch, and calibration and decision are fitted on
    all rows, each predicted by the networks that were not trained on it. Such a network has more noise than the
    average that serves later: the fitted probabilities err on the side of caution.

    Args:
        fitter: Trains the networks.
        sides: The rows.
        progress: Told about each stage.
        on_epoch: Called with the history row of each epoch.

    Raises:
        DataError: There are too few rows for so many folds.
        Interrupted: Ctrl-C; the message says where.
    """
    answers = train_networks(fitter, sides, progress=progress, on_epoch=on_epoch)
    config, space = fitter.config, fitter.space
    with fitter.clock.time("deciding"):
        gold, always = space.encode(sides.chosen.samples), always_labelled(sides.every.samples)
        scorer, teaching = Networks(config, len(space), answers.networks), fitter.taught_by
        seen = kept_keys(sides.trained)
        pipeline = Pipeline.fitted(
            config,
            space,
            scorer,
            HeldOut(answers.chosen, gold, always, row_keys(sides.chosen)),
            seen if teaching is None else np.union1d(seen, teaching.trained_on),
            NO_KEYS if teaching is None else teaching.pseudo_labelled,
        )
    return Outcome(pipeline, answers.networks, answers.chosen, answers.scored, answers.history)


class Answers(NamedTuple):
    """Trained networks, and what they say.

    Attributes:
        networks: The networks.
        chosen: Logits (N, K) of the rows that calibration and decision are fitted on; of tokens (N, T, K).
        scored: Likewise, of the rows that scores are given of.
        history: A row for each epoch of each network.
    """

    networks: tuple[Network, ...]
    chosen: Logits
    scored: Logits
    history: list[dict[str, Any]]


def train_networks(fitter: Fitter, sides: Sides, *, progress: Progress, on_epoch: OnEpoch) -> Answers:
    """Train the networks of `train_all`, whatever their answers mean.

    Raises:
        DataError: There are too few rows for so many folds.
        Interrupted: Ctrl-C; the message says where.
    """
    config = fitter.config
    if config.train.fold_count >= 2:
        chosen, trained = _cross_fitted(fitter, sides.every, progress, on_epoch)
        scored = chosen
        if sides.scored == "valid":
            scored = averaged([fitter.predict(each.network, sides.held, progress=progress) for each in trained])
    else:
        trained = each_seed(fitter, "main", sides.trained, sides.held, progress=progress, on_epoch=on_epoch)
        scored = chosen = averaged([each.logits for each in trained])
        if config.decision.fit_on == "out_of_fold":
            epochs = [each.epochs for each in trained]
            chosen = out_of_fold(fitter, sides.every, epochs=epochs, progress=progress)
    networks = tuple(each.network for each in trained)
    return Answers(networks, chosen, scored, [row for each in trained for row in each.history])


def _cross_fitted(fitter: Fitter, rows: Rows, progress: Progress, on_epoch: OnEpoch) -> tuple[Logits, list[Trained]]:
    """Logits (N, K) of all rows out of fold, and the networks that gave them."""
    said: list[tuple[npt.NDArray[np.intp], Logits]] = []
    trained: list[Trained] = []
    parts = make_folds(fitter, rows, fitter.config.train.fold_count)
    for part, found in each_fold(fitter, rows, parts, progress=progress, on_epoch=on_epoch):
        said.append((part.held_indices, averaged([each.logits for each in found])))
        trained += found
    return gathered(len(rows), len(fitter.space), said), trained

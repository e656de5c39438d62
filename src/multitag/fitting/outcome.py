"""All networks of a configuration trained, and what they say of rows that they were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.features.rows import Rows
from multitag.fitting.copies import kept_keys, row_keys
from multitag.fitting.fitter import Fitter, Trained
from multitag.fitting.folding import make_folds
from multitag.fitting.label_checks import always_labelled
from multitag.fitting.out_of_fold import OnEpoch, each_fold, each_seed, out_of_fold
from multitag.fitting.shifting import fit_shifts
from multitag.fitting.sides import Places, Sides
from multitag.fitting.teachers.pseudo_labels import PseudoCounts
from multitag.inference import gathered
from multitag.lacking import shifted
from multitag.networks import Network, Networks, averaged
from multitag.pipeline import NO_KEYS, HeldOut, Pipeline
from multitag.progress import Progress, within
from multitag.tasks.base import Logits
from multitag.types import Modality


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
        without: Logits (N, K) of the rows of `chosen` without their pictures, or texts, where the fitter was asked.
        members: Of an ensemble, each member with its own logits (M, K) of the rows that scores are given of.
        generations: Where students were trained, the teacher and they, in turn.
        places: The rows of `Sides.chosen` that `chosen` and `without` are of, and `scored`, where these are scored; in
            order, `None` for all.
    """

    pipeline: Pipeline
    networks: tuple[Network, ...]
    chosen: Logits
    scored: Logits
    history: list[dict[str, Any]]
    without: Mapping[Modality, Logits] = field(default_factory=dict)
    members: dict[str, tuple[Pipeline, Logits]] = field(default_factory=dict)
    generations: dict[str, Generation] = field(default_factory=dict)
    places: Places | None = None

    def only(self, places: Places | None, sides: Sides) -> Outcome:
        """With what it says of fewer of the rows of `sides`, each of which it has answered; all it has for `None`."""
        if places is None:
            return self
        at = places if self.places is None else np.searchsorted(self.places, places)
        return replace(
            self,
            chosen=self.chosen[at],
            scored=self.scored[at] if sides.scored == "out_of_fold" else self.scored,
            without={modality: said[at] for modality, said in self.without.items()},
            places=places,
        )


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
    config, space, sides = fitter.config, fitter.space, sides.only(answers.places)
    with fitter.clock.time("deciding"):
        gold, always = space.encode(sides.chosen.samples), always_labelled(sides.every.samples)
        shifts = fit_shifts(config, sides.chosen, gold, answers.chosen, answers.without)
        chosen = shifted(answers.chosen, sides.chosen, shifts)
        seen, teaching = kept_keys(sides.trained), fitter.taught_by
        pipeline = Pipeline.fitted(
            config,
            space,
            Networks(config, len(space), answers.networks, shifts),
            HeldOut(chosen, gold, always, row_keys(sides.chosen)),
            seen if teaching is None else np.union1d(seen, teaching.trained_on),
            NO_KEYS if teaching is None else teaching.pseudo_labelled,
        )
    return Outcome(
        pipeline,
        answers.networks,
        chosen,
        shifted(answers.scored, sides.held, shifts),
        answers.history,
        without={
            modality: shifts[modality].apply(said) if modality in shifts else said
            for modality, said in answers.without.items()
        },
        places=answers.places,
    )


class Answers(NamedTuple):
    """Trained networks, and what they say.

    Attributes:
        networks: The networks.
        chosen: Logits (N, K) of the rows that calibration and decision are fitted on; of tokens (N, T, K).
        scored: Likewise, of the rows that scores are given of.
        history: A row for each epoch of each network.
        without: Logits (N, K) of the rows of `chosen` without their pictures, or texts, as the networks give them.
        places: As of `Outcome`.
    """

    networks: tuple[Network, ...]
    chosen: Logits
    scored: Logits
    history: list[dict[str, Any]]
    without: Mapping[Modality, Logits]
    places: Places | None


def train_networks(fitter: Fitter, sides: Sides, *, progress: Progress, on_epoch: OnEpoch) -> Answers:
    """Train the networks of `train_all`, whatever their answers mean.

    Raises:
        DataError: There are too few rows for so many folds.
        Interrupted: Ctrl-C; the message says where.
    """
    config, places = fitter.config, None
    if config.train.fold_count >= 2:
        parts = make_folds(fitter, sides.every, config.train.fold_count)[: fitter.first]
        if len(parts) < config.train.fold_count:
            places = np.sort(np.concatenate([part.held_indices for part in parts]))
        folded = [
            (part.held_indices, found)
            for part, found in each_fold(fitter, sides.every, parts, progress=progress, on_epoch=on_epoch)
        ]
        trained = [each for _, found in folded for each in found]
        scored = chosen = gathered(len(sides.every), len(fitter.space), [(at, _said(found)) for at, found in folded])
        if sides.scored == "valid":
            scored = averaged([fitter.predict(each.network, sides.held, progress=progress) for each in trained])
    else:
        trained = each_seed(fitter, "main", sides.trained, sides.held, progress=progress, on_epoch=on_epoch)
        scored = chosen = _said(trained)
        folded = [(np.arange(len(sides.held)), trained)]
        if config.decision.fit_on == "out_of_fold":
            folded, epochs = [], [each.epochs for each in trained]
            chosen = out_of_fold(fitter, sides.every, epochs=epochs, progress=progress)
    without = {
        modality: _without(modality, fitter, sides.chosen, folded, chosen, within(f"without {modality}s", progress))
        for modality in (fitter.without if folded else ())
    }
    if places is not None:
        scored = scored[places] if sides.scored == "out_of_fold" else scored
        chosen, without = chosen[places], {modality: said[places] for modality, said in without.items()}
    networks = tuple(each.network for each in trained)
    return Answers(networks, chosen, scored, [row for each in trained for row in each.history], without, places)


def _said(trained: Sequence[Trained]) -> Logits:
    """What networks say together of the rows held out of their training."""
    return averaged([each.logits for each in trained])


def _without(
    modality: Modality,
    fitter: Fitter,
    rows: Rows,
    folded: Sequence[tuple[npt.NDArray[np.intp], list[Trained]]],
    known: Logits,
    progress: Progress,
) -> Logits:
    """Logits (N, K) of the rows with their pictures or texts taken away, by the networks that did not see them.

    Args:
        modality: What is taken away.
        fitter: Of the networks.
        rows: N rows.
        folded: The places of each fold's rows, and the networks that were not trained on them.
        known: Logits (N, K) of the rows as they are; what stays where the networks do not read the modality.
        progress: Told about each stage.
    """
    if modality not in fitter.config.modalities:
        return known
    said = []
    for places, found in folded:
        left = rows.take(places.tolist()).without(modality)
        said.append((places, averaged([fitter.predict(each.network, left, progress=progress) for each in found])))
    return gathered(len(rows), len(fitter.space), said)

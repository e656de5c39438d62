"""`explain`: which parts of a row made each of its labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from multitag.classifier import Classifier
from multitag.combined import networks_of
from multitag.errors import ConfigError, DataError
from multitag.explain.deletion import Deletion, delete
from multitag.explain.explanation import Explanation, LabelExplanation, Side
from multitag.explain.masks import Floats
from multitag.explain.occlusion import occlude
from multitag.explain.picture import Cover, CutPicture
from multitag.explain.scoring import Score, opened, probability
from multitag.explain.text import CutText
from multitag.features.rows import check_rows
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent
from multitag.registry import closest
from multitag.types import LabelSpace, Modality, Sample

Method = Literal["auto", "occlusion"]


@dataclass(frozen=True)
class How:
    """How rows are explained.

    Attributes:
        labels: The labels to explain; those predicted by default, or the most probable one where there is none.
        method: ``"auto"`` is occlusion.
        side: Cells in a row of the picture, and rows of cells.
        cover: What is laid over a cell: ``"mean"``, the picture's mean colour, or ``"blur"``, the picture itself with
            nothing sharp left in it.
        share: The share of all parts that the check takes away.
        rounds: The check's random draws.
        seed: Of the draws.
    """

    labels: Sequence[str] | None = None
    method: Method = "auto"
    side: int = 8
    cover: Cover = "mean"
    share: float = 0.1
    rounds: int = 10
    seed: int = 0


def explain(
    classifier: Classifier, sample: Sample, how: How | None = None, *, progress: Progress = silent
) -> Explanation:
    """Which parts of a row's picture and which of its words made each label, checked by a deletion test.

    Features of the changed pictures and texts are kept in a store that is gone afterwards.

    Args:
        classifier: A fitted model, or an ensemble.
        sample: The row; its own labels are not looked at.
        how: All choices.
        progress: Told about changed rows done.

    Raises:
        ConfigError: There is no such label.
        DataError: The row has nothing that the model reads, or its picture cannot be used.
        NotFittedError: The classifier is not fitted.
    """
    with opened(classifier.pipeline_, progress) as score:
        return explained(classifier, score, sample, how or How())


def explained(classifier: Classifier, score: Score, sample: Sample, how: How) -> Explanation:
    """`explain` with a model that is opened already."""
    pipeline = classifier.pipeline_
    row = check_rows([sample], classifier.config).samples[0]
    row = Sample(row.id, row.image, row.text, source=row.source)
    cuts = _cuts(pipeline, row, how, classifier.config.data.max_pixels)
    if not cuts:
        raise DataError(f"{row.source or row.id} has nothing that the model reads: no picture, no text")
    # The row itself, and without each of its sides: in the pixels that all changed pictures have too.
    picture = cuts.get("image")
    if isinstance(picture, CutPicture):
        row = replace(row, image=picture.without(np.zeros(picture.cells, bool)))
    removed = {"image": replace(row, image=None), "text": replace(row, text=None)}
    answers = score([row, *(removed[modality] for modality in cuts)], 1 + len(cuts))
    whole, without = answers[0], dict(zip(cuts, probability(answers[1:]), strict=True))
    decided = pipeline.decision.apply(probability(whole)[None])[0]
    places = _places(how.labels, pipeline.space, np.flatnonzero(decided).tolist(), whole)
    sides: dict[int, dict[Modality, Side]] = {place: {} for place in places}
    for modality, cut in cuts.items():
        worth = occlude(score, row, cut, whole)[:, places]
        tests = _tests(score, row, cut, worth, whole, places, how)
        for number, (place, test) in enumerate(zip(places, tests, strict=True)):
            sides[place][modality] = Side(worth[:, number], float(without[modality][place]), test)
    text = cuts.get("text")
    return Explanation(
        row.id,
        "occlusion",
        picture if isinstance(picture, CutPicture) else None,
        text if isinstance(text, CutText) else None,
        tuple(
            LabelExplanation(
                pipeline.space.names[place], float(probability(whole[place])), bool(decided[place]), sides[place]
            )
            for place in places
        ),
    )


def _cuts(pipeline: Pipeline, row: Sample, how: How, max_pixels: int) -> dict[Modality, CutPicture | CutText]:
    """What the row has and an encoder reads, cut into parts."""
    read = {slot.encoder.modality for network in networks_of(pipeline) for slot in network.slots.values()}
    cuts: dict[Modality, CutPicture | CutText] = {}
    if "image" in read and row.image is not None:
        cuts["image"] = CutPicture.of(row.image, side=how.side, cover=how.cover, max_pixels=max_pixels)
    if "text" in read and row.text is not None and row.text.strip():
        cuts["text"] = CutText.of(row.text)
    return cuts


def _tests(
    score: Score, row: Sample, cut: CutPicture | CutText, worth: Floats, whole: Floats, places: Sequence[int], how: How
) -> list[Deletion | None]:
    rng = np.random.default_rng(how.seed)
    tests = delete(score, row, cut, worth, whole, places, share=how.share, rounds=how.rounds, rng=rng)
    return [*tests] or [None] * len(places)


def _places(asked: Sequence[str] | None, space: LabelSpace, predicted: Sequence[int], whole: Floats) -> list[int]:
    """The places of the labels to explain, most probable first where nobody asked for certain ones."""
    if asked is None:
        found = list(predicted) or [int(whole.argmax())]
        return sorted(found, key=lambda place: -whole[place])
    unknown = [name for name in asked if name not in space.names]
    if unknown:
        accepted = ", ".join(space.names)
        raise ConfigError(
            f"the model knows no label '{unknown[0]}'{closest(unknown[0], space.names)} It knows: {accepted}"
        )
    return [space.names.index(name) for name in dict.fromkeys(asked)]

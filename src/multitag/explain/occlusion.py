"""Occlusion: cells of the picture covered, words left out, and what that costs each label. Serves every model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from multitag.explain.masks import Floats, shared_out
from multitag.explain.picture import CutPicture
from multitag.explain.scoring import Score
from multitag.explain.text import CutText
from multitag.types import BoolArray, Sample


def variants(sample: Sample, cut: CutPicture | CutText, masks: BoolArray) -> Iterator[Sample]:
    """The row with the parts of each mask taken away."""
    for mask in masks:
        if isinstance(cut, CutPicture):
            yield replace(sample, image=cut.without(mask))
        else:
            yield replace(sample, text=cut.without(mask))


def occluders(cut: CutPicture | CutText) -> BoolArray:
    """Masks (M, P) of what is taken away at a time (Zeiler & Fergus 2014, arXiv 1311.2901, section 4.2).

    Each cell of a picture (larger squares that overlap, averaged, did no better in the deletion test); each word of a
    text, and each word that comes several times in all its places at once: one of them alone is not missed.
    """
    if isinstance(cut, CutPicture):
        return np.eye(cut.cells, dtype=bool)
    return np.concatenate([np.eye(len(cut.parts), dtype=bool), cut.repeated()])


def occlude(score: Score, sample: Sample, cut: CutPicture | CutText, whole: Floats) -> Floats:
    """What each part is worth to each label (P, K): by how much its log-odds fall without the part.

    Args:
        score: The model.
        sample: The row.
        cut: Its picture or its text, cut into P parts.
        whole: (K,), the log-odds of the row as it is.
    """
    masks = occluders(cut)
    return shared_out(masks, whole - score(variants(sample, cut, masks), len(masks)))

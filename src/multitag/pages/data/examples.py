"""For each label, rows with it beside rows without it (seed 003, figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multitag.pages.data.split import Split, Splits
from multitag.report import Block, Choice, Column, Gallery, Picture, Section, Table, Thumbnails
from multitag.types import Sample

A_LABEL = 15
LEAST = 3
MOST = 1800
"""The most pictures of the section."""
SEED = 5329

Row = tuple[Split, int]


def examples(splits: Splits, thumbnails: Thumbnails) -> Section | None:
    """The section with examples, if any labels are known."""
    if not splits.labelled or not splits.labels:
        return None
    seen = any(split.images.hashes[row] is not None for split in splits.labelled for row in split.labelled)
    known = [
        (split, row)
        for split in splits.labelled
        for row in split.labelled
        if not seen or split.images.hashes[row] is not None
    ]
    a_label = min(A_LABEL, max(LEAST, MOST // (2 * len(splits.labels))))
    names = splits.labels[: MOST // (2 * a_label)]
    options: dict[str, Sequence[Block]] = {}
    for place, name in enumerate(names):
        drawn = np.random.default_rng((SEED, place)).permutation(len(known)).tolist()
        order = [known[at] for at in drawn]
        having = [at for at in order if name in (_sample(at).labels or ())][:a_label]
        lacking = [at for at in order if name not in ((_sample(at).labels or ()) + _sample(at).unknown)][:a_label]
        options[name] = (
            _block(f"With {name}", having, thumbnails, seen),
            _block(f"Without {name}", lacking, thumbnails, seen),
        )
    intro = f"Up to {a_label} rows with the label and as many without it, drawn at random, the same each time."
    if len(names) < len(splits.labels):
        intro += f" The {len(names)} commonest of {len(splits.labels):,} labels."
    return Section("Examples", (Choice("Label", options),), intro)


def _block(name: str, rows: list[Row], thumbnails: Thumbnails, pictures: bool) -> Block:
    if pictures:
        shown = [
            Picture(thumbnails.of(sample.image), sample.text or "", sample.labels or (), sample.source)
            for sample in map(_sample, rows)
        ]
        return Gallery(name, shown)
    return Table(
        name,
        (Column("text"), Column("labels", "labels"), Column("row")),
        [(sample.text, sample.labels, sample.source) for sample in map(_sample, rows)],
    )


def _sample(row: Row) -> Sample:
    split, place = row
    return split.samples[place]

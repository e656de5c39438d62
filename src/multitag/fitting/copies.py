"""Which rows show the same: told by hashes of pictures and texts, which a run keeps of the rows it was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from multitag.errors import DataError
from multitag.features.rows import Rows
from multitag.fitting.label_checks import listed
from multitag.pipeline import Keys, Pipeline
from multitag.types import BoolArray


def content_keys(rows: Rows) -> Keys:
    """A number for what each row shows: that of its picture, or of its text where it has none. Copies share it."""
    contents = [
        f"picture {picture}" if picture is not None else f"text {sample.text}"
        for sample, picture in zip(rows.samples, rows.hashes, strict=True)
    ]
    return _hashed(contents)


def row_keys(rows: Rows) -> Keys:
    """A number for what each row shows, its picture and its text together; two rows that show the same share it."""
    contents = [f"row {picture} {sample.text}" for sample, picture in zip(rows.samples, rows.hashes, strict=True)]
    return _hashed(contents)


def kept_keys(rows: Rows) -> Keys:
    """What is kept of rows, so that `are_copies` knows copies of them: (M,), sorted, each once.

    A number for each picture, and one for each text, which says whether it stood beside a picture. A row with neither
    leaves nothing.
    """
    contents = []
    for sample, picture in zip(rows.samples, rows.hashes, strict=True):
        if picture is not None:
            contents.append(f"picture {picture}")
        if sample.text:
            contents.append(f"text {sample.text}" if picture is None else f"beside {sample.text}")
    return np.unique(_hashed(contents))


def are_copies(rows: Rows, keys: Keys, *, pictures: bool) -> BoolArray:
    """Which rows (N,) show what rows showed whose keys were kept.

    The same picture is a copy, whatever text is beside it. The same text is one where either row has no picture; where
    both have, different pictures with the same caption are different rows, unless pictures are not looked at.

    Args:
        rows: The rows.
        keys: Of `kept_keys`.
        pictures: Whether the model looks at pictures.
    """
    own, of = list[str](), list[int]()
    for number, (sample, picture) in enumerate(zip(rows.samples, rows.hashes, strict=True)):
        if picture is not None:
            own.append(f"picture {picture}")
        if sample.text:
            own.append(f"text {sample.text}")
            if picture is None or not pictures:
                own.append(f"beside {sample.text}")
        of += [number] * (len(own) - len(of))
    found = np.zeros(len(rows), bool)
    found[np.asarray(of, int)[np.isin(_hashed(own), keys)]] = True
    return found


def seen_in_training(pipeline: Pipeline, rows: Rows, *, allowed: bool) -> list[str]:
    """Notes on rows to be scored that the model was trained on.

    Rows that were trained on with their labels are usually scored on purpose, to see how well they are known. Rows that
    were pseudo-labelled got in by mistake: nobody asks what a score is worth of rows thought to have no labels.

    Args:
        pipeline: The model.
        rows: To be scored.
        allowed: Whether pseudo-labelled ones among them are meant to be.

    Raises:
        DataError: Rows were pseudo-labelled, and are not allowed.
    """
    notes = []
    for how, keys in (("pseudo-labelled", pipeline.pseudo_labelled), ("trained on", pipeline.trained_on)):
        copies = np.flatnonzero(are_copies(rows, keys, pictures=pipeline.config.reads_pictures))
        if not len(copies):
            continue
        named = listed([rows.samples[place].source or rows.samples[place].id for place in copies], most=5)
        what = f"{len(copies)} of the {len(rows)} rows were {how} when this model was made ({named}): a score flatters"
        if keys is pipeline.pseudo_labelled and not allowed:
            raise DataError(
                f"{what}. Fix: leave them out here, or out of the rows for --unlabeled when training; --allow-seen "
                f"(allow_seen=True) scores them all the same"
            )
        notes.append(what)
    return notes


def _hashed(contents: Iterable[str]) -> Keys:
    digests = [hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()[:8] for content in contents]
    return np.frombuffer(b"".join(digests), "<i8").astype(np.int64)

"""What a fitted model says of rows that were made up to see what it looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from multitag.combined import Combined
from multitag.data.images import content_hash
from multitag.features.rows import Rows
from multitag.features.scratch import ScratchStore
from multitag.features.store import FeatureStore, default_store_path
from multitag.networks import Networks
from multitag.pipeline import Pipeline, Scorer
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits
from multitag.types import Sample

Floats = npt.NDArray[np.float64]


class Score(Protocol):
    """A model that is opened."""

    def __call__(self, samples: Iterable[Sample], total: int, /) -> Floats:
        """The calibrated log-odds (N, K) of `total` samples."""
        ...


BATCH = 64
"""Made-up rows in memory at a time, each with a whole picture."""


@contextmanager
def opened(pipeline: Pipeline, progress: Progress = silent) -> Iterator[Score]:
    """What the model says of any samples: all its networks, calibrated; the samples' features are forgotten after it.

    A sample's picture is the bytes of a file, or a file that was looked at already.

    Args:
        pipeline: The model.
        progress: Told about samples done.
    """
    chosen = pipeline.config.store.path
    with ScratchStore(default_store_path() if chosen == "auto" else Path(chosen)) as store:

        def score(samples: Iterable[Sample], total: int, /) -> Floats:
            left, parts = iter(samples), [np.zeros((0, len(pipeline.space)), np.float32)]
            with progress("changed rows", total) as advance:
                while batch := list(islice(left, BATCH)):
                    hashes = [None if sample.image is None else content_hash(sample.image) for sample in batch]
                    parts.append(pipeline.calibrated(_logits(pipeline.scorer, Rows(batch, hashes), store)))
                    advance(len(batch))
            return np.concatenate(parts).astype(np.float64)

        yield score


def _logits(scorer: Scorer, rows: Rows, store: FeatureStore) -> Logits:
    """Logits (N, K) as the scorer gives them, features in the store that is given."""
    if isinstance(scorer, Combined):
        return scorer.join([_logits(member.scorer, rows, store) for member in scorer.members.values()], rows)
    if isinstance(scorer, Networks):
        return scorer.logits_in(store, rows)
    return scorer.logits(rows)


def probability(log_odds: npt.ArrayLike) -> Floats:
    """Probabilities of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.asarray(log_odds, np.float64))))

"""Rows ready for a model: every picture looked at, its content hash known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from multitag.config import Config
from multitag.data.image_check import BadImage, require_images
from multitag.data.images import content_hash
from multitag.errors import DataError
from multitag.progress import Progress, silent
from multitag.types import BoolArray, Modality, Sample


@dataclass(frozen=True)
class Rows:
    """Rows whose pictures can be used.

    Attributes:
        samples: The rows.
        hashes: The content hash of each row's picture; `None` for a row without one.
        bad: Rows that lost a picture which could not be used.
    """

    samples: list[Sample]
    hashes: list[str | None]
    bad: tuple[BadImage, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, places: Sequence[int]) -> Rows:
        """The rows at `places`, in that order."""
        return Rows([self.samples[place] for place in places], [self.hashes[place] for place in places])

    def have(self, modality: Modality) -> BoolArray:
        """(N,), which rows have a picture, or a text."""
        return np.array([sample.has(modality) for sample in self.samples], bool)

    def without(self, modality: Modality) -> Rows:
        """The rows with their pictures, or their texts, taken away."""
        if modality == "text":
            return Rows([replace(sample, text=None) for sample in self.samples], self.hashes)
        return Rows([replace(sample, image=None) for sample in self.samples], [None] * len(self))

    def __add__(self, other: Rows) -> Rows:
        return Rows(self.samples + other.samples, self.hashes + other.hashes)


class Check(Protocol):
    """Makes rows of samples: `check_rows`, or what knows their pictures already."""

    def __call__(self, samples: Sequence[Sample], config: Config, *, progress: Progress = silent) -> Rows:
        """Rows of the samples."""
        ...


def check_rows(samples: Sequence[Sample], config: Config, *, progress: Progress = silent) -> Rows:
    """Look at every picture that an encoder will read, before any work is done on the rows.

    Args:
        samples: The rows.
        config: Says what to do about a picture that cannot be used, and how large one may be.
        progress: Told about pictures done.

    Raises:
        DataError: All pictures that cannot be used, where the configuration does not take such rows as without one.
    """
    if not config.reads_pictures:  # copies are still kept on one side of a split
        return Rows(list(samples), [_hash_if_there(sample) for sample in samples])
    pictures = len({sample.image for sample in samples if sample.image is not None})
    with progress("checking pictures", pictures) as advance:
        checked, report = require_images(
            samples,
            config.data.on_bad_image,
            max_pixels=config.data.max_pixels,
            progress=lambda done, total: advance(1),
        )
    return Rows(checked, report.hashes, tuple(report.bad))


def _hash_if_there(sample: Sample) -> str | None:
    try:
        return None if sample.image is None else content_hash(sample.image)
    except DataError:
        return None

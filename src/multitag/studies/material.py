"""The rows of a study: read, looked at and parted once, and then the same for every configuration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.data.split import split
from multitag.data.table import Table, TableSource
from multitag.errors import DataError
from multitag.features.rows import Rows, check_rows
from multitag.fitting.label_checks import label_space, labelled, lost_pictures
from multitag.progress import Progress, silent
from multitag.types import ImageSource, Sample


@dataclass(frozen=True)
class Reading:
    """The tables of a study as one way of reading them has them.

    Attributes:
        train: Rows to train on, with the names of all labels that any row has.
        valid: Rows to choose epoch and decision by, where they were given.
        test: Rows that are scored, where they were given.
    """

    train: Table
    valid: Table | None
    test: Table | None

    @property
    def samples(self) -> list[Sample]:
        """All rows."""
        others = [table for table in (self.valid, self.test) if table is not None]
        return [sample for table in (self.train, *others) for sample in table.samples]


@dataclass(frozen=True)
class Part:
    """The rows of one run: where in the training table those to train on and those to score stand.

    Both `None` where a table to score was given.
    """

    train: tuple[int, ...] | None = None
    test: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Material:
    """All that runs read.

    Attributes:
        readings: By the way of reading, `reading_of`.
        hashes: The content hash of each picture.
        notes: What a user should look at.
    """

    readings: dict[str, Reading]
    hashes: dict[ImageSource, str | None]
    notes: tuple[str, ...] = ()
    _contents: dict[tuple[str, Part], str] = field(default_factory=dict)

    def reading(self, config: Config) -> Reading:
        """The tables as a configuration reads them."""
        return self.readings[reading_of(config)]

    def check(self, samples: Sequence[Sample], config: Config, *, progress: Progress = silent) -> Rows:
        """Rows of samples whose pictures were looked at when the study began."""
        return Rows(list(samples), [None if s.image is None else self.hashes[s.image] for s in samples])

    def train(self, config: Config, part: Part) -> Table:
        """The rows to train on."""
        table = self.reading(config).train
        return table if part.train is None else _taken(table, part.train)

    def test(self, config: Config, part: Part) -> list[Sample]:
        """The rows that are scored: those with known labels."""
        reading = self.reading(config)
        if part.test is not None:
            return _taken(reading.train, part.test).samples
        if reading.test is None:
            raise ValueError("the study has no rows to score")
        return labelled(reading.test)[0]

    def content(self, config: Config, part: Part) -> str:
        """A hash of all rows of a run: what they show, their labels, and which of them train."""
        known = (reading_of(config), part)
        if known not in self._contents:
            reading = self.reading(config)
            tables = [self.train(config, part).samples, reading.valid.samples if reading.valid else []]
            tables.append(self.test(config, part) if part.test is not None or reading.test is not None else [])
            digest = hashlib.sha256(json.dumps(reading.train.label_names).encode())
            for samples in tables:
                digest.update(b"table")
                for sample in samples:
                    picture = None if sample.image is None else self.hashes[sample.image]
                    row = [sample.id, sample.text, sample.labels, sample.unknown, sample.group, picture]
                    digest.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
            self._contents[known] = digest.hexdigest()
        return self._contents[known]

    def part(self, config: Config, share: float, seed: int) -> Part:
        """A share of the labelled rows to score, the others to train on; by labels, groups and copies as ever.

        Raises:
            DataError: There are too few rows.
        """
        table = self.reading(config).train
        copies = [None if s.image is None else self.hashes[s.image] for s in table.samples]
        space = label_space(config, table, None)
        sides = split(table.samples, space, share, seed, copies=copies)
        return Part(_places(sides.train_indices), _places(sides.held_indices))


def reading_of(config: Config) -> str:
    """What decides how a configuration reads tables."""
    return json.dumps(config.data.model_dump(mode="json", exclude={"valid_share"}), sort_keys=True)


def read_material(
    configs: Sequence[Config],
    train: TableSource,
    valid: TableSource | None = None,
    test: TableSource | None = None,
    *,
    images: str | Path | None = None,
    progress: Progress = silent,
) -> Material:
    """Read the tables in each way that a configuration asks for, and look at all pictures once.

    Args:
        configs: The study's configurations.
        train: Labelled rows.
        valid: Rows to choose epoch and decision by.
        test: Rows to score.
        images: The folder that pictures' names are relative to.
        progress: Told about pictures looked at.

    Raises:
        DataError: Rows or pictures cannot be used, or readings of the table differ in their rows.
    """
    readings: dict[str, Reading] = {}
    hashes: dict[ImageSource, str | None] = {}
    notes: dict[str, None] = {}
    for config in sorted(configs, key=lambda config: not config.reads_pictures):  # those that look closest come first
        way = reading_of(config)
        if way in readings:
            continue
        classifier = Classifier(config)
        tables = [None if source is None else classifier.read(source, images) for source in (train, valid, test)]
        for table in tables:
            if table is not None:
                notes |= dict.fromkeys([*table.warnings, *labelled(table)[1]])
        checked = check_rows([s for t in tables if t is not None for s in t.samples], config, progress=progress)
        notes |= dict.fromkeys(lost_pictures(checked.bad))
        hashes |= {s.image: h for s, h in zip(checked.samples, checked.hashes, strict=True) if s.image is not None}
        readings[way] = _reading(tables, checked.samples, config)
    _require_same_rows(readings)
    return Material(readings, hashes, tuple(notes))


def _reading(tables: Sequence[Table | None], samples: Sequence[Sample], config: Config) -> Reading:
    rows = iter(samples)
    train, valid, test = (
        None if table is None else replace(table, samples=[next(rows) for _ in table.samples]) for table in tables
    )
    if train is None:
        raise ValueError("a study needs rows to train on")
    names = label_space(config, train, valid).names
    return Reading(replace(train, label_names=names), valid, test)


def _require_same_rows(readings: Mapping[str, Reading]) -> None:
    lengths = {len(reading.train) for reading in readings.values()}
    if len(lengths) > 1:
        raise DataError(
            f"the settings of [data] that are varied make tables of {', '.join(map(str, sorted(lengths)))} rows, and "
            f"configurations must be compared on the same rows. Fix: a study for each"
        )


def _taken(table: Table, places: Sequence[int]) -> Table:
    return replace(table, samples=[table.samples[place] for place in places])


def _places(indices: npt.NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(int(index) for index in indices)

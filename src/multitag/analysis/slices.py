"""Scores of parts of the rows: by number of labels, length of text, what a row has, and its group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Interval, bootstrap
from multitag.types import BoolArray, Sample

METRICS = ("samples_f1", "micro_f1", "subset_accuracy", "brier")
"""Those that mean the same in every part; macro F1 would count labels that a part lacks as perfect."""
LABEL_COUNTS = 5
"""Rows of as many labels or more are one part."""
GROUPS = 20
"""The most groups shown, the largest."""


@dataclass(frozen=True)
class Slice:
    """Scores of some of the rows.

    Attributes:
        by: What rows are parted by.
        name: Which part this is.
        rows: How many there are.
        metrics: Scores with their intervals.
    """

    by: str
    name: str
    rows: int
    metrics: dict[str, Interval]


def slices(samples: Sequence[Sample], answers: Answers, *, rounds: int = 1000, seed: int = 0) -> list[Slice]:
    """Scores of every part that has rows; where all rows are in one part, it says nothing and is left out.

    Args:
        samples: N rows.
        answers: Gold, predicted and probabilities of them.
        rounds: Bootstrap rounds for the 95 % intervals.
        seed: Of the bootstrap.
    """
    found = []
    for by, parts in _all_parts(samples, answers):
        there = [(name, mask & answers.known_rows) for name, mask in parts]
        there = [(name, mask) for name, mask in there if mask.any()]
        if len(there) < 2:
            continue
        for name, mask in there:
            scores = bootstrap(_part(answers, mask), METRICS, rounds=rounds, seed=seed)
            found.append(Slice(by, name, int(mask.sum()), scores))
    return found


def _part(answers: Answers, mask: BoolArray) -> Answers:
    probabilities = None if answers.probabilities is None else answers.probabilities[mask]
    return Answers(answers.gold[mask], answers.predicted[mask], probabilities)


Parts = list[tuple[str, BoolArray]]


def _all_parts(samples: Sequence[Sample], answers: Answers) -> Iterator[tuple[str, Parts]]:
    yield "labels per row", _by_labels(answers)
    yield "words per text", _by_length(samples)
    yield "what a row has", _by_modality(samples)
    yield "group", _by_group(samples)


def _by_labels(answers: Answers) -> Parts:
    counts = np.minimum(answers.positive.sum(axis=1), LABEL_COUNTS)
    return [(f"{n} or more" if n == LABEL_COUNTS else str(n), counts == n) for n in range(LABEL_COUNTS + 1)]


def _by_length(samples: Sequence[Sample]) -> Parts:
    """Four parts of about as many rows each, by words; rows without a text are no part."""
    words = np.array([len(sample.text.split()) if sample.text else 0 for sample in samples])
    if not words.any():
        return []
    ends = np.unique(np.quantile(words[words > 0], (0.25, 0.5, 0.75, 1.0), method="lower").astype(int))
    parts, start = [], 1
    for end in ends.tolist():
        parts.append((str(end) if start == end else f"{start} - {end}", (words >= start) & (words <= end)))
        start = end + 1
    return parts


def _by_modality(samples: Sequence[Sample]) -> Parts:
    image = np.array([sample.image is not None for sample in samples], bool)
    text = np.array([bool(sample.text and sample.text.strip()) for sample in samples], bool)
    return [
        ("picture and text", image & text),
        ("picture only", image & ~text),
        ("text only", ~image & text),
        ("neither", ~image & ~text),
    ]


def _by_group(samples: Sequence[Sample]) -> Parts:
    groups = [sample.group for sample in samples]
    largest = [name for name, _ in Counter(group for group in groups if group is not None).most_common(GROUPS)]
    parts = [(name, np.array([group == name for group in groups], bool)) for name in largest]
    rest = np.array([group is not None and group not in largest for group in groups], bool)
    return [*parts, ("all other groups", rest)]

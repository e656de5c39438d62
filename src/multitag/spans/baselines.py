"""What a span tagger must beat: a list of the phrases that were marked in training, and chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence

import numpy as np

from multitag.intervals import merged
from multitag.types import Span
from multitag.words import words

Phrase = tuple[str, ...]


def learn_phrases(
    texts: Sequence[str], spans: Sequence[Sequence[Span]], *, precision: float = 0.0, longest: int = 8
) -> dict[Phrase, frozenset[str]]:
    """The phrases that spans of the training texts hold, with the labels that they bore: a gazetteer.

    A phrase is a row of whole words in lower case.

    Args:
        texts: The training texts.
        spans: Their spans.
        precision: Only phrases that bore the label in at least this share of their places in the texts.
        longest: Only phrases of at most so many words: a longer one hardly comes again.
    """
    marked: Counter[tuple[Phrase, str]] = Counter()
    everywhere: Counter[Phrase] = Counter()
    for text, own in zip(texts, spans, strict=True):
        for span in own:
            inside = tuple(text[a:b].casefold() for a, b in words(text) if a < span.stop and b > span.start)
            if 0 < len(inside) <= longest:
                marked[inside, span.label] += 1
    known = {phrase for phrase, _ in marked}
    for text in texts:
        everywhere.update(phrase for phrase, _, _ in _places(text, known, longest))
    found: dict[Phrase, set[str]] = {}
    for (phrase, label), count in marked.items():
        if count >= precision * everywhere[phrase]:
            found.setdefault(phrase, set()).add(label)
    return {phrase: frozenset(labels) for phrase, labels in found.items()}


def find_phrases(phrases: Mapping[Phrase, frozenset[str]], texts: Sequence[str]) -> list[tuple[Span, ...]]:
    """The spans that a gazetteer gives: every place of every phrase, with all its labels.

    Args:
        phrases: As of `learn_phrases`.
        texts: Any texts.
    """
    longest = max(map(len, phrases), default=0)
    return [
        merged(
            Span(start, stop, label)
            for phrase, start, stop in _places(text, phrases.keys(), longest)
            for label in phrases[phrase]
        )
        for text in texts
    ]


def random_spans(texts: Sequence[str], names: Sequence[str], *, seed: int = 0) -> list[tuple[Span, ...]]:
    """Spans by chance: a walk through each text in random steps, each step a span of random length and label.

    Much as the random baseline of SemEval-2021 task 6, subtask 2, which keeps fewer of its steps.

    Args:
        texts: Any texts.
        names: The labels.
        seed: Same seed, same spans.
    """
    rng = np.random.default_rng(seed)
    found = []
    for text in texts:
        spans = []
        start = stop = 0
        while stop < len(text):
            start += int(rng.integers(0, max(1, len(text) - start)))
            stop = min(start + int(rng.integers(1, len(text) - start + 2)), len(text))
            spans.append(Span(start, stop, names[int(rng.integers(len(names)))]))
        found.append(merged(spans))
    return found


def _places(text: str, phrases: Container[Phrase], longest: int) -> list[tuple[Phrase, int, int]]:
    """Where phrases stand in a text."""
    places = words(text)
    lower = [text[a:b].casefold() for a, b in places]
    return [
        (phrase, places[first][0], places[first + count - 1][1])
        for first in range(len(places))
        for count in range(1, min(longest, len(places) - first) + 1)
        if (phrase := tuple(lower[first : first + count])) in phrases
    ]

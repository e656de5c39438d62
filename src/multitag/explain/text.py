"""A text cut into words, any of which can be left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multitag.types import BoolArray
from multitag.words import words

MOST_PARTS = 256
"""A text of more words is cut into so many runs of neighbours: each part costs a pass through the model."""


@dataclass(frozen=True)
class CutText:
    """A text and its parts: words, or runs of neighbouring words where there are very many.

    Attributes:
        text: The text.
        parts: Half-open ranges of characters, in order.
    """

    text: str
    parts: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> CutText:
        """The text cut into words; punctuation belongs to no part."""
        found = [(start, stop) for start, stop in words(text) if any(letter.isalnum() for letter in text[start:stop])]
        found = found or words(text)
        size = -(-len(found) // MOST_PARTS)
        runs = [found[first : first + size] for first in range(0, len(found), size)] if found else []
        return cls(text, tuple((run[0][0], run[-1][1]) for run in runs))

    def word(self, part: int) -> str:
        """The characters of a part."""
        start, stop = self.parts[part]
        return self.text[start:stop]

    def without(self, left_out: BoolArray) -> str:
        """The text with some parts (P,) left out, and the white space after them."""
        kept, at = [], 0
        for part in np.flatnonzero(left_out):
            start, stop = self.parts[int(part)]
            kept.append(self.text[at:start])
            at = stop
            if start == 0 or self.text[start - 1].isspace():
                while at < len(self.text) and self.text[at].isspace():
                    at += 1
        return "".join([*kept, self.text[at:]])

    def repeated(self) -> BoolArray:
        """A mask (M, P) for each word that the text has several times, whatever its case."""
        same: dict[str, list[int]] = {}
        for part in range(len(self.parts)):
            same.setdefault(self.word(part).casefold(), []).append(part)
        groups = [places for places in same.values() if len(places) > 1]
        masks = np.zeros((len(groups), len(self.parts)), bool)
        for number, places in enumerate(groups):
            masks[number, places] = True
        return masks

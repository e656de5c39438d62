"""Texts whose sentences change places."""

from __future__ import annotations

import re

import numpy as np

from multitag.augment.base import Chance, TextAugmentation

_ENDS = re.compile(r"(?<=[.!?…])\s+|\n+")


class Shuffle(TextAugmentation):
    """Puts the sentences of a text in random order; words within a sentence keep theirs, so what each says stays.

    A sentence ends at a full stop, exclamation or question mark before white space, and at the end of a line. A text
    of one sentence stays as it is.

    Args:
        p: The share of the texts that are changed.
    """

    def __init__(self, *, p: Chance = 0.5) -> None:
        super().__init__(p=p)

    def apply(self, text: str, random: np.random.Generator) -> str:
        """The same sentences in another order, or by chance in the same."""
        sentences = [sentence for sentence in _ENDS.split(text.strip()) if sentence]
        if len(sentences) < 2:
            return text
        return " ".join(sentences[int(place)] for place in random.permutation(len(sentences)))

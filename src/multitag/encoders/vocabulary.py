"""Words to numbers: a vocabulary learned from training texts, with entries for padding and for unknown words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import torch
from torch import Tensor

PAD, UNKNOWN = 0, 1
RESERVED = 2
"""The first number of a word: those before are padding and the unknown word (seed 003's -PAD- and -OOV-)."""

VocabularySize = Literal["all"] | int


@dataclass(frozen=True)
class Vocabulary:
    """The words that are known, most frequent first.

    Attributes:
        words: Word n has the number n + 2.
    """

    words: tuple[str, ...]

    @classmethod
    def learned(cls, texts: Iterable[Sequence[str]], *, size: VocabularySize = "all", min_count: int = 1) -> Self:
        """The words of the texts that occur `min_count` times or more, at most `size`, ties by the alphabet."""
        counts = Counter(word for words in texts for word in words)
        ordered = sorted((word for word in counts if counts[word] >= min_count), key=lambda word: (-counts[word], word))
        return cls(tuple(ordered if size == "all" else ordered[:size]))

    def __len__(self) -> int:
        return len(self.words) + RESERVED

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: place + RESERVED for place, word in enumerate(self.words)}

    def numbers(self, words: Sequence[str], length: int) -> list[int]:
        """The numbers of the first `length` words; a text without a word is one unknown word."""
        return [self._numbers.get(word, UNKNOWN) for word in words[:length]] or [UNKNOWN]


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows of numbers as one tensor (B, T), padded at the end to the longest row."""
    table = torch.full((len(rows), max(map(len, rows))), PAD)
    for place, row in enumerate(rows):
        table[place, : len(row)] = torch.tensor(row)
    return table

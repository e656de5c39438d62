"""Shares of the work: processes and machines that encode the same rows, each its own chunks of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random
from typing import Self

from multitag.errors import ConfigError

_RANK = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
_WORLD = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""What torchrun and the MPIs say to the processes that they start; accelerate reads the same."""


@dataclass(frozen=True)
class Share:
    """Of numbered pieces of work, `index`, `index + count` and so on; `Share()` is all of it.

    Attributes:
        index: Which share, from 0.
        count: How many there are.

    Raises:
        ConfigError: There is no such share.
    """

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ConfigError(
                f"share {self} does not exist. Accepted: 1/N to N/N, such as 1/4, 2/4, 3/4 and 4/4 for four machines"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """The share that ``"2/4"`` means, the second of four.

        Raises:
            ConfigError: The text is of another form, or there is no such share.
        """
        index, _, count = text.partition("/")
        if not (index.strip().isdecimal() and count.strip().isdecimal()):
            raise ConfigError(f"share '{text}' is not of the form 2/4 (the second of four)")
        return cls(int(index) - 1, int(count))

    def __str__(self) -> str:
        return f"{self.index + 1}/{self.count}"

    def __contains__(self, number: int) -> bool:
        return number % self.count == self.index

    def part(self, index: int, count: int) -> Share:
        """A share of this share."""
        return Share(self.index + self.count * index, self.count * count)

    def in_turn(self, first: Share, pieces: int) -> list[int]:
        """The pieces of this share: those of `first` in order, then the others, which other processes are at.

        These come in an order that is each process's own, so that two that help a third one do not both do the same.

        Args:
            first: A part of this share.
            pieces: How many pieces there are in all.
        """
        every = [number for number in range(pieces) if number in self]
        others = [number for number in every if number not in first]
        Random(first.index).shuffle(others)
        return [number for number in every if number in first] + others


WHOLE = Share()


def launched() -> Share:
    """The share of this process among those of an `accelerate launch`, on all machines; all where it is alone."""
    try:
        return Share(_first(_RANK, 0), _first(_WORLD, 1))
    except (ConfigError, ValueError):  # left over from something else
        return WHOLE


def _first(names: tuple[str, ...], default: int) -> int:
    return next((int(os.environ[name]) for name in names if name in os.environ), default)

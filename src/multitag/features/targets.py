"""Targets of many labels in little memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Dense = npt.NDArray[np.float32]


class KeptTargets:
    """Targets (N, K), kept as those that are not 0: a row has a few of thousands of labels.

    Args:
        starts: (N + 1,), where each row's entries begin.
        labels: (E,), which label each entry is of.
        values: (E,), 1, NaN where it is not known, or a share.
        width: K.
    """

    def __init__(
        self, starts: npt.NDArray[np.int64], labels: npt.NDArray[np.int32], values: Dense, width: int, /
    ) -> None:
        self.starts, self.labels, self.values, self.width = starts, labels, values, width

    @classmethod
    def of(cls, blocks: Iterable[Dense], width: int) -> Self:
        """The targets of blocks of rows (n, K), one after another; one at a time is there in full."""
        counts, labels, values = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
        for block in blocks:
            row, label = np.nonzero(block)  # NaN is not 0
            counts.append(np.bincount(row, minlength=len(block)))
            labels.append(label.astype(np.int32))
            values.append(block[row, label])
        return cls(np.concatenate(counts).cumsum(), np.concatenate(labels), np.concatenate(values), width)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, rows: Tensor) -> Tensor:
        """The targets (B, K) of the rows (B,)."""
        index = rows.numpy()
        first, count = self.starts[index], self.starts[index + 1] - self.starts[index]
        # The places of all entries: each row's first, and on from there.
        within = np.arange(count.sum()) - np.repeat(count.cumsum() - count, count)
        places = np.repeat(first, count) + within
        found = np.zeros((len(index), self.width), np.float32)
        found[np.repeat(np.arange(len(index)), count), self.labels[places]] = self.values[places]
        return torch.from_numpy(found)

    def numpy(self) -> Dense:
        """All targets (N, K)."""
        return self[torch.arange(len(self))].numpy()

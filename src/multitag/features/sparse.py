"""Vectors that are mostly zeros, kept as such: cheap to hold for all rows, and dear to make again in every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from multitag.features.slots import Slot
from multitag.types import Sample

if TYPE_CHECKING:
    from scipy import sparse  # type: ignore[import-untyped]  # ships no types

_AT_ONCE = 4096


class SparseRows:
    """What an encoder of sparse vectors says of N rows.

    Args:
        vectors: (n, D) of the rows that have its modality.
        places: (N,), where each row's vector is; -1 for a row that has none.
    """

    def __init__(self, vectors: sparse.csr_matrix, places: npt.NDArray[np.intp], /) -> None:
        from scipy import sparse  # where no encoder is sparse it is not needed

        nothing = sparse.csr_matrix((1, vectors.shape[1]), dtype=vectors.dtype)
        self._vectors = sparse.vstack([vectors, nothing], format="csr")  # -1 is the last
        self._places = places

    def dense(self, index: Tensor) -> Tensor:
        """Of some rows, (B,): (B, D), zeros for a row that has none."""
        return torch.from_numpy(self._vectors[self._places[index.numpy()]].toarray())


def sparse_rows(slot: Slot, samples: Sequence[Sample], *, most_bytes: int) -> SparseRows | None:
    """What a frozen encoder says of all rows, asked once.

    Args:
        slot: The encoder.
        samples: The rows.
        most_bytes: What it may take.

    Returns:
        `None` where its vectors are not sparse, where no row has its modality, and where they take more.
    """
    here = [row for row, sample in enumerate(samples) if slot.has(sample)]
    if not here:
        return None
    found: list[sparse.csr_matrix] = []
    size = 0
    for start in range(0, len(here), _AT_ONCE):
        vectors = slot.encoder.sparse(slot.items([samples[row] for row in here[start : start + _AT_ONCE]]))
        if vectors is None:
            return None
        found.append(vectors)
        size += vectors.data.nbytes + vectors.indices.nbytes
        if size > most_bytes:
            return None
    from scipy import sparse

    places = np.full(len(samples), -1)
    places[here] = np.arange(len(here))
    return SparseRows(sparse.vstack(found, format="csr"), places)

"""Chunks of pictures and texts through a frozen encoder, on all cores and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from multitag.ahead import ahead
from multitag.cores import threads
from multitag.encoders import Inputs
from multitag.features.batches import batches
from multitag.features.chunks import Chunk, batch_size
from multitag.features.slots import Slot
from multitag.types import Encoded

MOST = 4
"""The most chunks under way at a time: each needs memory for what the network computes between."""
_BEYOND = 2
"""Chunks read beyond those that are being read, while a device computes."""

Answer = tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float16]] | None]
"""Pooled vectors (n, D), and the real tokens of each row where they are wanted."""


@dataclass(frozen=True)
class Work:
    """What is done to each chunk.

    Attributes:
        slot: The encoder.
        folder: Where exported networks are kept.
        tokens: Whether tokens are wanted too.
        device: Where the encoder runs.
        states: Of an encoder that has a lower part: what is stored of that, by the hashes of contents.
    """

    slot: Slot
    folder: Path
    tokens: bool
    device: torch.device
    states: Callable[[Sequence[str]], Inputs] | None = None

    def prepare(self, chunk: Chunk) -> Inputs:
        """The chunk's pictures read and resized, or its texts cut into tokens; or what is stored of its lower part."""
        if self.states is not None:
            return self.states(chunk.contents)
        return self.slot.encoder.prepare(self.slot.items(chunk.samples))

    def run(self, inputs: Inputs, *, threads: int | None = None, at_once: int = 1) -> Answer:
        """What the encoder says; arguments as of `Slot.run`."""
        run, folder, tokens, device = self.slot.run, self.folder, self.tokens, self.device
        places, found = [], []
        for rows, batch in batches(inputs, batch_size(self.slot, device)):
            encoded = run(batch, folder, tokens=tokens, device=device, threads=threads, at_once=at_once)
            places.append(rows.numpy())
            found.append(_answer(encoded))
        return found[0] if len(found) == 1 else _joined(found, np.concatenate(places).argsort())


def encode_chunks(work: Work, chunks: Iterable[Chunk], count: int) -> Iterator[tuple[Chunk, Answer]]:
    """Each chunk with what the encoder says of it, in order.

    On a processor each of a few threads takes a chunk from its files to its vectors, computing with its share of the
    cores: reading and resizing hide behind the network's work, no two threads wait for each other, and there are
    never more of them than cores. On another device threads read ahead, and it computes.

    Args:
        work: What is done.
        chunks: Rows that have the encoder's modality; drawn in the caller's thread, a few ahead.
        count: How many chunks there are at most.

    Raises:
        DataError: A picture cannot be read.
        ConfigError: The encoder cannot run in the precision that was asked for.
    """
    if work.device.type != "cpu":
        for chunk, inputs in ahead(lambda chunk: (chunk, work.prepare(chunk)), chunks, threads(), beyond=_BEYOND):
            yield chunk, work.run(inputs)
        return
    # Preparing a text is next to nothing, and two threads on one matrix product are faster than two products at once.
    least = 2 if work.slot.encoder.modality == "text" else 1
    crew = max(1, min(threads() // least, MOST, count))
    share = max(1, threads() // crew)
    before = torch.get_num_threads()

    def whole(chunk: Chunk) -> tuple[Chunk, Answer]:
        torch.set_num_threads(share)  # of this thread, and of those that start before it is set back
        return chunk, work.run(work.prepare(chunk), threads=share, at_once=crew)

    try:
        yield from map(whole, chunks) if crew == 1 else ahead(whole, chunks, crew)
    finally:
        torch.set_num_threads(before)


def _answer(encoded: Encoded) -> Answer:
    pooled = encoded.pooled.float().cpu().numpy()
    if encoded.tokens is None or encoded.mask is None:
        return pooled, None
    states, mask = encoded.tokens.half().cpu().numpy(), encoded.mask.cpu().numpy()
    return pooled, [row[real] for row, real in zip(states, mask, strict=True)]


def _joined(answers: list[Answer], order: npt.NDArray[np.intp]) -> Answer:
    """Several answers as one, their rows in another order."""
    pooled = np.concatenate([vectors for vectors, _ in answers])[order]
    states = [row for _, rows in answers for row in rows or ()]
    return pooled, [states[place] for place in order] if states else None

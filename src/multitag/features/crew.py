"""Chunks of pictures and texts through a frozen encoder, on all cores and no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from multitag.cores import threads
from multitag.features.slots import Slot
from multitag.types import Encoded, Sample

MOST = 4
"""The most chunks under way at a time: each needs memory for what the network computes between."""
_AHEAD = 3

Result = TypeVar("Result")
Answer = tuple[npt.NDArray[np.float32], list[npt.NDArray[np.float16]] | None]
"""Pooled vectors (n, D), and the real tokens of each row where they are wanted."""


def encode_chunks(
    slot: Slot, chunks: Sequence[Sequence[Sample]], folder: Path, *, tokens: bool, device: torch.device
) -> Iterator[Answer]:
    """What the encoder says of each chunk, in order.

    On a processor each of a few threads takes a chunk from its files to its vectors, computing with its share of the
    cores: reading and resizing hide behind the network's work, no two threads wait for each other, and there are
    never more of them than cores. On another device threads read ahead, and it computes.

    Args:
        slot: The encoder.
        chunks: Rows that have its modality.
        folder: Where exported networks are kept.
        tokens: Whether tokens are wanted too.
        device: Where it runs.

    Raises:
        DataError: A picture cannot be read.
        ConfigError: The encoder cannot run in the precision that was asked for.
    """
    if device.type != "cpu":
        for inputs in _in_order(lambda chunk: slot.encoder.prepare(slot.items(chunk)), chunks, threads()):
            yield _answer(slot.run(inputs, folder, tokens=tokens, device=device))
        return
    crew = max(1, min(threads(), MOST, len(chunks)))
    share = max(1, threads() // crew)
    before = torch.get_num_threads()

    def work(chunk: Sequence[Sample]) -> Answer:
        torch.set_num_threads(share)  # of this thread, and of those that start before it is set back
        inputs = slot.encoder.prepare(slot.items(chunk))
        return _answer(slot.run(inputs, folder, tokens=tokens, device=device, threads=share, at_once=crew))

    try:
        yield from map(work, chunks[:1])  # the one that starts the runtime
        yield from _in_order(work, chunks[1:], crew)
    finally:
        torch.set_num_threads(before)


def _in_order(
    function: Callable[[Sequence[Sample]], Result], chunks: Sequence[Sequence[Sample]], count: int
) -> Iterator[Result]:
    """Results in the chunks' order, a few of them worked on ahead."""
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(count, thread_name_prefix="multitag-encode")
    try:
        for chunk in chunks:
            waiting.append(pool.submit(function, chunk))
            if len(waiting) >= count + _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _answer(encoded: Encoded) -> Answer:
    pooled = encoded.pooled.float().cpu().numpy()
    if encoded.tokens is None or encoded.mask is None:
        return pooled, None
    states, mask = encoded.tokens.half().cpu().numpy(), encoded.mask.cpu().numpy()
    return pooled, [row[real] for row, real in zip(states, mask, strict=True)]

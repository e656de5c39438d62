"""Filling the store: each distinct picture and text through each frozen encoder, once, decoding ahead in threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

import torch

from multitag.features.chunks import Chunk, cut
from multitag.features.crew import Work, encode_chunks
from multitag.features.rows import Rows
from multitag.features.share import WHOLE, Share
from multitag.features.slots import Slot
from multitag.features.states import stored_states
from multitag.features.store import FeatureStore
from multitag.progress import Progress, silent

ONNX = "onnx"
"""The folder, within the store's, of exported networks."""


def fill(
    store: FeatureStore,
    slots: Mapping[str, Slot],
    rows: Rows,
    *,
    tokens: Collection[str] = (),
    device: torch.device | None = None,
    share: Share = WHOLE,
    first: Share | None = None,
    progress: Progress = silent,
) -> int:
    """Encode what the store lacks of the rows, or of a share of them.

    All distinct contents of the rows are cut into chunks (`cut`), and each chunk is written whole, in one transaction.
    A run that was killed, and processes that share the work, have the very chunks that one uninterrupted process would
    have had, so the numbers are the same, bit for bit, whoever comes to a chunk first.

    Args:
        store: The store.
        slots: The encoders; of one that trains, its lower part is filled, and one without is left alone. Of a frozen
            one that has a lower part, this is filled first where the encoder itself is lacking.
        rows: The rows.
        tokens: The encoders whose tokens are wanted too; of lower parts they always are.
        device: Where the encoders run.
        share: The chunks that the store must have in the end.
        first: Of these, the chunks to begin with, where other processes are at the others. Then comes what is still
            missing: what the others have not come to yet, or have written into a store on another machine.
        progress: Told about pictures and texts done.

    Returns:
        How many pictures and texts were encoded and written.

    Raises:
        DataError: A picture cannot be read.
    """
    encoded = 0
    for name, slot in slots.items():
        if (kept := slot.kept) is not None:
            chunks = cut(kept, rows, device)
            wanted = [chunks[number] for number in share.in_turn(first or share, len(chunks))]
            encoded += _fill(store, kept, wanted, name in tokens or kept is not slot, device, progress)
    return encoded


def lacking(
    store: FeatureStore, slot: Slot, rows: Rows, *, tokens: bool, device: torch.device | None, share: Share = WHOLE
) -> tuple[int, int]:
    """How many distinct contents a share of the rows has for an encoder, and how many of these the store lacks."""
    contents = [c for number, chunk in enumerate(cut(slot, rows, device)) if number in share for c in chunk.contents]
    return len(contents), len(store.missing(slot.fingerprint, contents, tokens=tokens))


def _left(store: FeatureStore, slot: Slot, chunk: Chunk, tokens: bool) -> Chunk:
    """What the store lacks of a chunk.

    Only that is encoded, not the chunk whole: few new rows among many would cost as much as all. Chunks of the same
    rows have nothing in common and are written whole, so whoever else writes of these rows meanwhile, what lacks of a
    chunk is what lacked when the first of all processes began, or nothing.
    """
    return chunk.take(store.missing(slot.fingerprint, chunk.contents, tokens=tokens))


def _fill(
    store: FeatureStore,
    slot: Slot,
    chunks: Collection[Chunk],
    tokens: bool,
    device: torch.device | None,
    progress: Progress,
) -> int:
    every = [content for chunk in chunks for content in chunk.contents]
    missing = {every[place] for place in store.missing(slot.fingerprint, every, tokens=tokens)}
    if not missing:
        return 0
    written, done, states, upper = 0, 0, None, ""
    short = [chunk for chunk in chunks if not missing.isdisjoint(chunk.contents)]
    if slot.lower is not None:
        _fill(store, slot.lower, [_left(store, slot, chunk, tokens) for chunk in short], True, device, progress)
        states, upper = partial(stored_states, store, slot.lower), ", upper part"
    with progress(f"encoding {slot.encoder.modality}s ({slot.name}{upper})", len(missing)) as advance:
        todo = (_left(store, slot, chunk, tokens) for chunk in short)
        work = Work(slot, store.path / ONNX, tokens, device or torch.device("cpu"), states)
        for chunk, (pooled, real) in encode_chunks(work, (chunk for chunk in todo if len(chunk)), len(chunks)):
            written += store.put(slot.fingerprint, chunk.contents, pooled, real)
            done += len(chunk)
            advance(len(chunk))
        if done < len(missing):
            advance(len(missing) - done)  # what other processes did
    return written

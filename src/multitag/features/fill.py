"""Filling the store: each distinct picture and text through each frozen encoder, once, decoding ahead in threads."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import torch

from multitag.features.crew import encode_chunks
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore
from multitag.progress import Progress, silent

CHUNK = {"image": 16, "text": 64}
ONNX = "onnx"
"""The folder, within the store's, of exported networks."""


def contents_of(slot: Slot, rows: Rows) -> list[str | None]:
    """The hash of what the encoder reads of each row; `None` for a row that has nothing for it."""
    if slot.encoder.modality == "image":
        return rows.hashes
    return [
        hashlib.sha256((sample.text or "").encode()).hexdigest() if slot.has(sample) else None
        for sample in rows.samples
    ]


def fill(
    store: FeatureStore,
    slots: Mapping[str, Slot],
    rows: Rows,
    *,
    tokens: Collection[str] = (),
    device: torch.device | None = None,
    progress: Progress = silent,
) -> int:
    """Encode what the store lacks.

    Rows are sorted by the encoder's `sort_key` and written a chunk at a time, in order: a run that was killed goes on
    with the very chunks that an uninterrupted one would have had, so the numbers are the same, bit for bit.

    Args:
        store: The store.
        slots: The encoders; those that are not stored are left alone.
        rows: The rows.
        tokens: The encoders whose tokens are wanted too.
        device: Where the encoders run.
        progress: Told about pictures and texts done.

    Returns:
        How many pictures and texts were encoded.

    Raises:
        DataError: A picture cannot be read.
    """
    encoded = 0
    for name, slot in slots.items():
        if not slot.stored:
            continue
        found = [
            (sample, content)
            for sample, content in zip(rows.samples, contents_of(slot, rows), strict=True)
            if content is not None
        ]
        contents = [content for _, content in found]
        todo = store.missing(slot.fingerprint, contents, tokens=name in tokens)
        if not todo:
            continue
        if slot.encoder.modality == "text":
            todo.sort(key=lambda place: slot.encoder.sort_key(found[place][0].text))  # stable: ties keep their order
        size = CHUNK[slot.encoder.modality] * (1 if device is None or device.type == "cpu" else 8)
        chunks = [todo[start : start + size] for start in range(0, len(todo), size)]
        with progress(f"encoding {slot.encoder.modality}s ({slot.name})", len(todo)) as advance:
            samples = [[found[place][0] for place in chunk] for chunk in chunks]
            where = device or torch.device("cpu")
            answers = encode_chunks(slot, samples, store.path / ONNX, tokens=name in tokens, device=where)
            for chunk, (pooled, real) in zip(chunks, answers, strict=True):
                store.put(slot.fingerprint, [contents[place] for place in chunk], pooled, real)
                advance(len(chunk))
        encoded += len(todo)
    return encoded

"""Merging stores: what machines have encoded, each its share into a store of its own, in one store at the end."""

from __future__ import annotations

from pathlib import Path

import lmdb

from multitag.errors import DataError
from multitag.features.environment import reading
from multitag.features.store import POOLED, TOKENS, FeatureStore
from multitag.progress import Progress, silent

TRANSACTION_BYTES = 32 << 20
"""About so much is copied in one transaction: a killed merge goes on from there, and memory is for no more."""
_KEY = 65
"""Bytes: two hashes and a letter."""


def merge(store: FeatureStore, folder: str | Path, *, progress: Progress = silent) -> int:
    """Copy what another store has and this one lacks; what this one has stays as it is.

    Args:
        store: The store to write.
        folder: The other store's; only read.
        progress: Told about entries looked at.

    Returns:
        How many entries were new: a pooled vector or the tokens of a picture or text.

    Raises:
        DataError: The folder is no feature store, or is the store itself.
        MultitagError: The store cannot be written.
    """
    other = Path(folder)
    if not (other / "data.mdb").is_file():
        raise _refused(other, "it has no file data.mdb")
    if other.resolve() == store.path.resolve():
        raise DataError(f"{other} cannot be merged into itself. Fix: name the stores to copy from")
    new, size, entries = 0, 0, list[tuple[bytes, bytes]]()
    try:
        with reading(other) as source, progress(f"merging {other}", int(source.stat()["entries"])) as advance:
            for key, value in source.cursor():
                if len(key) != _KEY or bytes(key[-1:]) not in (POOLED, TOKENS):
                    raise _refused(other, "its database is of something else")
                entries.append((bytes(key), bytes(value)))
                size += len(key) + len(value)
                if size >= TRANSACTION_BYTES:
                    new += len(store.add(entries))
                    advance(len(entries))
                    size, entries = 0, []
            new += len(store.add(entries))
            advance(len(entries))
    except lmdb.Error as error:
        raise _refused(other, f"it cannot be read ({error})") from error
    return new


def _refused(folder: Path, why: str) -> DataError:
    return DataError(
        f"{folder} is no feature store: {why}. Fix: give the folder that 'multitag encode' says its store is in"
    )

"""The feature store: what frozen encoders say of pictures and texts, kept for ever.

The key is the encoder's fingerprint and the hash of the picture's bytes or the text, so nothing ever needs to be
invalidated, and a renamed file still hits. LMDB underneath: a killed process leaves whole transactions, and many
processes may read while others take turns to write.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import lmdb
import numpy as np
import numpy.typing as npt

from multitag.errors import MultitagError
from multitag.features.environment import Environment

POOLED, TOKENS = b"p", b"t"
_HEADER = struct.Struct("<II")

Vectors = npt.NDArray[np.float32]


def default_store_path() -> Path:
    """$MULTITAG_STORE, or multitag/features in the user's cache folder."""
    if chosen := os.environ.get("MULTITAG_STORE"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "multitag" / "features"


class FeatureStore:
    """Pooled vectors (float32) and tokens (float16) by encoder and content.

    Args:
        path: Its folder; made where it is not there.

    Raises:
        MultitagError: The folder cannot be opened or written.
    """

    def __init__(self, path: str | Path, /) -> None:
        self.path = Path(path)
        self._closed = False
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._env = Environment.open(self.path)
        except (OSError, lmdb.Error) as error:
            raise MultitagError(
                f"the feature store {self.path} cannot be opened: {error}. "
                f"Fix: choose another folder (--set store.path=FOLDER, or the variable MULTITAG_STORE)"
            ) from error

    def close(self) -> None:
        """Close the files; closing twice does no harm."""
        if not self._closed:
            self._closed = True
            self._env.close()

    def __reduce__(self) -> tuple[type[Self], tuple[Path]]:
        """Sent to another process, it is opened there."""
        return type(self), (self.path.absolute(),)

    def __enter__(self) -> Self:
        """Use as a context manager: closed at its end."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the files."""
        self.close()

    @staticmethod
    def _key(fingerprint: str, content: str, kind: bytes) -> bytes:
        return bytes.fromhex(fingerprint) + bytes.fromhex(content) + kind

    def missing(self, fingerprint: str, contents: Sequence[str], *, tokens: bool = False) -> list[int]:
        """The places in `contents` (hashes, hexadecimal) of which the store lacks something, each hash once."""
        kinds = (POOLED, TOKENS) if tokens else (POOLED,)
        seen: set[str] = set()
        lacking = []
        with self._env.transaction() as transaction:
            for place, content in enumerate(contents):
                if content in seen:
                    continue
                seen.add(content)
                if any(transaction.get(self._key(fingerprint, content, kind)) is None for kind in kinds):
                    lacking.append(place)
        return lacking

    def put(
        self,
        fingerprint: str,
        contents: Sequence[str],
        pooled: Vectors,
        tokens: Sequence[npt.NDArray[np.float16]] | None = None,
    ) -> int:
        """Write rows in one transaction: all of them or, if the process is killed, none.

        What is there already stays as it is: somebody may have read it, and its digits may be others.

        Args:
            fingerprint: The encoder's.
            contents: N content hashes.
            pooled: (N, D).
            tokens: N arrays (T, D'), the real tokens of each row.

        Returns:
            Of how many rows something was new.

        Raises:
            MultitagError: The disk is full or the store cannot be written.
        """
        entries = [
            (self._key(fingerprint, content, POOLED), np.ascontiguousarray(vector, np.float32).tobytes())
            for content, vector in zip(contents, pooled, strict=True)
        ]
        if tokens is not None:
            for content, row in zip(contents, tokens, strict=True):
                value = _HEADER.pack(*row.shape) + np.ascontiguousarray(row, np.float16).tobytes()
                entries.append((self._key(fingerprint, content, TOKENS), value))
        return len({key[:-1] for key in self.add(entries)})

    def add(self, entries: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Write entries, as they stand, in one transaction; the keys of those that were not there.

        Raises:
            MultitagError: The disk is full or the store cannot be written.
        """
        while True:
            try:
                with self._env.transaction(write=True) as transaction:
                    return [key for key, value in entries if transaction.put(key, value, overwrite=False)]
            except lmdb.MapFullError:
                self._env.grow()
            except lmdb.Error as error:
                raise MultitagError(f"the feature store {self.path} cannot be written: {error}") from error

    def pooled(self, fingerprint: str, contents: Sequence[str], width: int) -> Vectors:
        """The pooled vectors (N, D) of `contents`.

        Raises:
            MultitagError: One is not there, or has another width.
        """
        vectors = np.empty((len(contents), width), np.float32)
        with self._env.transaction() as transaction:
            for row, content in enumerate(contents):
                value = transaction.get(self._key(fingerprint, content, POOLED))
                if value is None or len(value) != 4 * width:
                    raise MultitagError(self._lost(content))
                vectors[row] = np.frombuffer(value, np.float32)
        return vectors

    def tokens(self, fingerprint: str, contents: Sequence[str]) -> list[npt.NDArray[np.float16]]:
        """The real tokens of `contents`, an array (T, D') each.

        Raises:
            MultitagError: One is not there.
        """
        rows = []
        with self._env.transaction() as transaction:
            for content in contents:
                value = transaction.get(self._key(fingerprint, content, TOKENS))
                if value is None:
                    raise MultitagError(self._lost(content))
                shape = _HEADER.unpack_from(value)
                rows.append(np.frombuffer(value, np.float16, offset=_HEADER.size).reshape(shape).copy())
        return rows

    def __len__(self) -> int:
        with self._env.transaction() as transaction:
            return int(transaction.stat()["entries"])

    def _lost(self, content: str) -> str:
        return (
            f"the feature store {self.path} lacks the features of {content[:12]}... that it had a moment ago. "
            f"Was it emptied meanwhile? Fix: run the command again"
        )

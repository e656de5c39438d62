"""A feature store that is gone when it is closed: for pictures and texts that nobody will ask about again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from multitag.features.store import FeatureStore


class ScratchStore(FeatureStore):
    """A store in memory, beside a lasting one whose exported networks it uses.

    Args:
        lasting: The folder of the lasting store; no feature is written there.
    """

    def __init__(self, lasting: Path, /) -> None:
        self.path = lasting  # where networks are exported to, once
        self._closed = False
        self._env: Any = _Memory()


class _Memory:
    """What stands in for a database: a dictionary, which is its own transaction."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self.get = self._values.get

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[_Memory]:
        yield self

    def put(self, key: bytes, value: bytes, *, overwrite: bool = True) -> bool:
        if key in self._values and not overwrite:
            return False
        self._values[key] = value
        return True

    def stat(self) -> dict[str, int]:
        return {"entries": len(self._values)}

    def close(self) -> None:
        self._values.clear()

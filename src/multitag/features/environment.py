"""One LMDB environment for each folder and process, shared by all that open it: LMDB forbids a second one."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lmdb

FIRST_SIZE = 1 << 30
"""Bytes of the map at first. It only reserves addresses; the file grows with what is in it."""

_open: dict[Path, Environment] = {}
_opening = threading.Lock()


class Environment:
    """A folder's database. Its transactions take turns within the process, so that the map may grow between them.

    Args:
        path: The folder; it must be there.
    """

    def __init__(self, path: Path, /) -> None:
        self.path = path
        self._users = 0
        self._turn = threading.RLock()
        self._env = lmdb.open(str(path), map_size=FIRST_SIZE, max_readers=1024, lock=True)
        self._env.set_mapsize(max(FIRST_SIZE, self._env.info()["map_size"]))

    @staticmethod
    def open(folder: Path) -> Environment:
        """The process's environment for a folder; each opening needs its `close`."""
        path = folder.resolve()
        with _opening:
            environment = _open.get(path)
            if environment is None:
                environment = _open[path] = Environment(path)
            environment._users += 1
        return environment

    def close(self) -> None:
        """Close the files, if nobody else in the process uses them."""
        with _opening:
            self._users -= 1
            if self._users == 0:
                del _open[self.path]
                self._env.close()

    @contextlib.contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Any]:
        """A transaction: committed at the end, or not at all."""
        with self._turn, self._begin(write) as transaction:
            yield transaction

    def _begin(self, write: bool) -> Any:
        try:
            return self._env.begin(write=True) if write else self._env.begin(buffers=True)
        except lmdb.MapResizedError:
            self._env.set_mapsize(0)  # another process let it grow
            return self._begin(write)

    def grow(self) -> None:
        """Make the map twice as large."""
        with self._turn:
            self._env.set_mapsize(2 * self._env.info()["map_size"])


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[Any]:
    """A transaction that reads a database, of which nothing is changed.

    Raises:
        lmdb.Error: There is no database in the folder, or it is damaged.
    """
    with _opening:
        environment = _open.get(folder.resolve())
    if environment is not None:
        with environment.transaction() as transaction:
            yield transaction
        return
    # Whoever reads marks in the lock file what he reads; where that cannot be written, nobody writes to the rest.
    options: dict[str, Any] = {"readonly": True, "create": False, "lock": os.access(folder, os.W_OK)}
    with lmdb.open(str(folder), **options) as database, database.begin(buffers=True) as transaction:
        yield transaction

"""Data that comes with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from multitag.errors import DataError

BUNDLED: Final = ("openclipart",)


def bundled_path(name: str = "openclipart") -> Path:
    """The folder of a bundled data set: ``train.csv``, ``valid.csv``, ``test.csv``, ``images/`` and its
    licence.

    Raises:
        DataError: There is no such data set, or it was left out of the installation.
    """
    if name not in BUNDLED:
        raise DataError(f"bundled data {name!r} does not exist. Accepted: {', '.join(BUNDLED)}.")
    folder = Path(str(files("multitag").joinpath("bundled", name)))
    if not folder.is_dir():
        raise DataError(f"the bundled data {name!r} is not where it must be, {folder}. Fix: install multitag again.")
    return folder

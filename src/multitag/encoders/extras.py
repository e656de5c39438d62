"""Libraries that not everybody has."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def imported(name: str) -> Any:
    """A library of an extra.

    Raises:
        ImportError: It is not installed, or something it stands on is broken: the registry then names the extra.
    """
    try:
        return import_module(name)
    except RuntimeError as error:  # a torchvision that was made for another torch
        raise ImportError(f"{name} does not import: {error}") from error

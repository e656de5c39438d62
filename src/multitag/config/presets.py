"""Presets: whole configurations that are good on any table without a choice to make."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from multitag.errors import ConfigError
from multitag.registry import closest

PresetName = Literal["fast", "balanced", "best"]
"""From the quickest to the one of the best scores."""


def preset_names() -> list[str]:
    """All presets, the quickest first."""
    return list(get_args(PresetName))


def preset_path(name: str) -> Path:
    """The file of a preset.

    Raises:
        ConfigError: No such preset.
    """
    names = preset_names()
    if name not in names:
        raise ConfigError(f"preset '{name}' does not exist{closest(name, names)} Accepted: {', '.join(names)}.")
    return Path(str(files("multitag") / "presets" / f"{name}.toml"))

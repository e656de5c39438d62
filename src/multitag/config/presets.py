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
    return packaged_path("preset", name, preset_names())


def packaged_path(kind: str, name: str, names: list[str]) -> Path:
    """The file of a configuration that comes with multitag.

    Args:
        kind: ``"preset"`` or ``"recipe"``: its folder is called so, in the plural.
        name: Which.
        names: All that there are.

    Raises:
        ConfigError: It is none of these.
    """
    if name not in names:
        raise ConfigError(f"{kind} '{name}' does not exist{closest(name, names)} Accepted: {', '.join(names)}.")
    return Path(str(files("multitag") / f"{kind}s" / f"{name}.toml"))

"""Studies: many configurations on the same rows, to see what matters (`ablate`) and what is best (`tune`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multitag.studies.ablating import ablate as ablate
    from multitag.studies.ablation import Ablation as Ablation
    from multitag.studies.tuned import Tuning as Tuning
    from multitag.studies.tuning import tune as tune

__all__ = ["Ablation", "Tuning", "ablate", "tune"]

_HOMES = {
    "Ablation": "multitag.studies.ablation",
    "Tuning": "multitag.studies.tuned",
    "ablate": "multitag.studies.ablating",
    "tune": "multitag.studies.tuning",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: a worker needs but a part of the room."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'multitag.studies' has no attribute {name!r}")

"""multitag: image + text in, a set of labels out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multitag.classifier import Classifier as Classifier
    from multitag.config import Config as Config
    from multitag.ensemble import Ensemble as Ensemble
    from multitag.opening import open_run as open_run
    from multitag.tagger import SpanTagger as SpanTagger
    from multitag.types import Sample as Sample

__version__ = "0.1.0"
__all__ = ["Classifier", "Config", "Ensemble", "Sample", "SpanTagger", "__version__", "open_run"]

_HOMES = {
    "Classifier": "multitag.classifier",
    "Config": "multitag.config",
    "Ensemble": "multitag.ensemble",
    "Sample": "multitag.types",
    "SpanTagger": "multitag.tagger",
    "open_run": "multitag.opening",
}


def __getattr__(name: str) -> Any:
    """Import the public names on first use, so that ``import multitag`` does nothing."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'multitag' has no attribute {name!r}")

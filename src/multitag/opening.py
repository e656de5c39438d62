"""Opening a run folder without knowing what it holds."""

from __future__ import annotations

from pathlib import Path

from multitag.classifier import Classifier
from multitag.ensemble import Ensemble
from multitag.runs.folder import COMBINER, gives_spans
from multitag.tagger import SpanTagger

__all__ = ["open_run"]


def open_run(folder: str | Path) -> Classifier | SpanTagger:
    """The run in a folder: a `Classifier`, an `Ensemble` or a `SpanTagger`.

    Raises:
        RunError: The folder is missing or cut short, or a frozen encoder is not there.
    """
    path = Path(folder)
    if gives_spans(path):
        return SpanTagger.load(path)
    return Ensemble.load(path) if (path / COMBINER).is_file() else Classifier.load(path)

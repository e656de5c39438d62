"""What the page calls metrics."""

from __future__ import annotations

_WRITTEN = {"f1": "F1", "map": "mAP", "ece": "ECE", "brier": "Brier"}


def metric_title(name: str) -> str:
    """A metric's name as it is written: "samples F1" for ``samples_f1``."""
    return " ".join(_WRITTEN.get(word, word) for word in name.split("_"))

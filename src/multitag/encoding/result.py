"""What came of encoding tables ahead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multitag.features.share import Share
from multitag.types import Modality


@dataclass(frozen=True)
class EncoderWork:
    """What one encoder was asked for.

    Attributes:
        name: Its name in the configuration, after that of an ensemble's member.
        component: What it is: ``"transformers_text"``.
        modality: What it reads.
        contents: How many distinct pictures or texts the rows, or the share of them, have for it.
        encoded: How many of these were encoded now; the others were in the store.
        seconds: How long that took; of several processes, the longest.
    """

    name: str
    component: str
    modality: Modality
    contents: int
    encoded: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "encoder": self.component,
            "modality": self.modality,
            "contents": self.contents,
            "encoded": self.encoded,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True)
class Encoding:
    """What was encoded, and where it is.

    Attributes:
        store: The folder of the feature store.
        rows: Of all tables.
        share: Which share of them was encoded.
        encoders: What each frozen encoder was asked for.
        without: Why there is nothing to store of the others, by name.
        merged: How many entries were copied from each other store.
        seconds: How long encoding took, encoders loaded.
    """

    store: Path
    rows: int
    share: Share
    encoders: tuple[EncoderWork, ...]
    without: dict[str, str]
    merged: dict[str, int]
    seconds: float

    @property
    def encoded(self) -> int:
        """How many pictures and texts were encoded."""
        return sum(each.encoded for each in self.encoders)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "store": str(self.store),
            "rows": self.rows,
            "share": str(self.share),
            "encoders": [each.to_dict() for each in self.encoders],
            "without": dict(self.without),
            "merged": dict(self.merged),
            "seconds": round(self.seconds, 2),
        }

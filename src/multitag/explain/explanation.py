"""What an explanation is: for each label, what the parts of a row are worth to it, and how well that was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from multitag.explain.deletion import Deletion
from multitag.explain.masks import Floats
from multitag.explain.picture import CutPicture
from multitag.explain.text import CutText
from multitag.types import Modality


@dataclass(frozen=True)
class Side:
    """A label beside the picture, or beside the text.

    Attributes:
        worth: (P,), by how much the label's log-odds fall without each part; below 0 where a part speaks against it.
        without: The label's probability where the row has no such side at all.
        deletion: The check of `worth`; `None` where there is one part only.
    """

    worth: Floats
    without: float
    deletion: Deletion | None


@dataclass(frozen=True)
class LabelExplanation:
    """A label, its calibrated probability, whether it was predicted, and the sides of the row by modality."""

    label: str
    probability: float
    predicted: bool
    sides: dict[Modality, Side]


@dataclass(frozen=True)
class Explanation:
    """Why a row has the labels that it has.

    Attributes:
        id: The row's.
        method: How it was found out.
        picture: The picture in its cells; `None` where there is none, or no encoder reads it.
        text: The text in its words; likewise.
        labels: Those that were asked for.
    """

    id: str
    method: str
    picture: CutPicture | None
    text: CutText | None
    labels: tuple[LabelExplanation, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: cells row by row, words with the characters where they stand."""
        return {
            "id": self.id,
            "method": self.method,
            "cells_per_side": None if self.picture is None else self.picture.side,
            "text": None if self.text is None else self.text.text,
            "labels": [self._label(label) for label in self.labels],
        }

    def _label(self, label: LabelExplanation) -> dict[str, Any]:
        found: dict[str, Any] = {
            "label": label.label,
            "probability": label.probability,
            "predicted": label.predicted,
        }
        if self.picture is not None:
            side, own = self.picture.side, label.sides["image"]
            found["picture"] = {"cells": own.worth.reshape(side, side).tolist(), **_checked(own)}
        if self.text is not None:
            own = label.sides["text"]
            parts = [
                {"word": self.text.word(part), "start": start, "stop": stop, "worth": float(own.worth[part])}
                for part, (start, stop) in enumerate(self.text.parts)
            ]
            found["text"] = {"words": parts, **_checked(own)}
        return found


def _checked(side: Side) -> dict[str, Any]:
    deletion = None if side.deletion is None else side.deletion.to_dict()
    return {"probability_without": side.without, "deletion": deletion}

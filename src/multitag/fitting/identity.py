"""What decides the weights of a training: a checkpoint of anything else is not gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from multitag.config import Config
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.runs.claim import deciding
from multitag.tasks.base import Targets
from multitag.types import LabelSpace


def identity_of(
    config: Config,
    space: LabelSpace,
    slots: Mapping[str, Slot],
    sides: Iterable[Rows],
    *,
    epochs: Sequence[int],
    seed: int,
    targets: Targets | None = None,
) -> str:
    """64 hex digits that change whenever the trained weights could.

    Args:
        config: The settings; those that decide nothing, such as where the store is, do not count.
        space: The labels.
        slots: The encoders: frozen ones, and frozen parts of others, count by their fingerprints.
        sides: The rows to train on, those held out, and those taught by a teacher.
        epochs: Of each stage.
        seed: The network's.
        targets: What is trained on in place of the rows' labels, where a fitted run teaches.
    """
    identity = hashlib.sha256()
    frozen = {
        name: part.fingerprint
        for name, slot in slots.items()
        for part in (slot, slot.lower)
        if part is not None and part.frozen
    }
    training = [deciding(config), space.names, frozen, epochs, seed]
    identity.update(json.dumps(training, sort_keys=True).encode())
    for side in sides:
        identity.update(b"side")
        for sample, content in zip(side.samples, side.hashes, strict=True):
            row: list[Any] = [sample.id, sample.text, sample.labels, sample.unknown, content]
            if config.task == "spans":
                row.append([[span.start, span.stop, span.label] for span in sample.spans or ()])
            if config.joint is not None:
                row.append(sample.row_labels)
            identity.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if targets is not None:
        identity.update(b"targets")
        identity.update(targets.tobytes())
    return identity.hexdigest()

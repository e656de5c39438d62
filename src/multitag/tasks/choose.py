"""The task of a configuration."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.config import Config
from multitag.features.slots import Slot
from multitag.spans import SPAN_DECODERS
from multitag.tasks.base import Task
from multitag.tasks.labels import LabelTask
from multitag.tasks.pieces import Pieces
from multitag.tasks.spans import SpanTask
from multitag.types import LabelSpace


def task_of(config: Config, space: LabelSpace, slots: Mapping[str, Slot]) -> Task:
    """What targets and answers mean to the networks of a configuration."""
    pieces = Pieces.of(config, slots)
    if pieces is None or config.decoder is None:
        return LabelTask(space)
    names = None if config.joint is None else config.joint.names
    return SpanTask(space, pieces, SPAN_DECODERS.get(config.decoder.name).scheme, names)

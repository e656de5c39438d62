"""The work of one process: its share of the chunks through each encoder."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from multitag.config import Config
from multitag.encoding.plan import Plan, plan_of, reader_of
from multitag.errors import DataWarning
from multitag.features.fill import fill
from multitag.features.rows import Rows
from multitag.features.share import Share
from multitag.features.store import FeatureStore
from multitag.networks import best_device
from multitag.progress import Advance, Progress
from multitag.workers import Ask

Done = list[tuple[int, float]]
"""For each encoder of a plan: how many pictures and texts were encoded, and seconds."""


@dataclass(frozen=True)
class Shared:
    """What all processes of one machine share.

    Attributes:
        what: The configuration, or the folder of a run.
        store: The folder of the store.
        rows: The rows.
        share: What the machine encodes.
        processes: How many processes there are.
    """

    what: Config | Path
    store: Path
    rows: Rows
    share: Share
    processes: int


def work(shared: Shared, number: int, ask: Ask) -> Done:
    """Do a process's part of the machine's share, then help the others."""
    plan, device = plan_of(reader_of(shared.what)), best_device()
    if device.type != "cpu":
        device = torch.device(device.type, number % torch.accelerator.device_count())

    @contextmanager
    def told(what: str, total: int, /) -> Iterator[Advance]:
        yield ask

    first = shared.share.part(number, shared.processes)
    with FeatureStore(shared.store) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the main process says it, once
        return encode_share(plan, shared.rows, store, device, shared.share, first, told)


def encode_share(
    plan: Plan,
    rows: Rows,
    store: FeatureStore,
    device: torch.device,
    share: Share,
    first: Share,
    progress: Progress,
) -> Done:
    """A share of the rows through each encoder of a plan; the arguments are those of `fill`."""
    found = []
    for wanted in plan.wanted.values():
        started = time.monotonic()
        slots, tokens = {wanted.name: wanted.slot}, [wanted.name] * wanted.tokens
        encoded = fill(
            store,
            slots,
            wanted.rows(rows),
            tokens=tokens,
            device=device,
            share=share,
            first=first,
            progress=progress,
        )
        found.append((encoded, time.monotonic() - started))
    return found

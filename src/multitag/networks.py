"""The trained models of one configuration: one, or several whose logits are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch

from multitag.config import Config
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.rows import Rows
from multitag.features.share import launched
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore, default_store_path
from multitag.features.targets import KeptTargets
from multitag.inference import predict_logits
from multitag.lacking import Shift, shifted
from multitag.model import Model
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits, Targets
from multitag.tasks.pieces import Pieces
from multitag.types import Modality


@dataclass(frozen=True)
class Network:
    """A trained model with its encoders.

    Attributes:
        slots: The encoders; several networks share the frozen ones.
        model: The model.
    """

    slots: Mapping[str, Slot]
    model: Model


@dataclass(frozen=True)
class Networks:
    """Networks of one configuration, trained on other folds or from other seeds; their logits are averaged.

    Attributes:
        config: What they were made by.
        labels: K.
        each: The networks, one at least.
        without: How the logits of rows that lack a picture, or a text, are shifted, where they are.
    """

    config: Config
    labels: int
    each: tuple[Network, ...]
    without: Mapping[Modality, Shift] = field(default_factory=dict)

    def logits(self, rows: Rows, *, progress: Progress = silent) -> Logits:
        """The mean of the networks' logits (N, K); what frozen encoders say comes from the store, or goes there."""
        with open_store(self.config) as store:
            return self.logits_in(store, rows, progress=progress)

    def logits_in(self, store: FeatureStore, rows: Rows, *, progress: Progress = silent) -> Logits:
        """Likewise, with the features of frozen encoders in a store that is open already."""
        each = [
            network_logits(network, rows, store, self.config, self.labels, progress=progress) for network in self.each
        ]
        return shifted(averaged(each), rows, self.without)


def network_logits(
    network: Network,
    rows: Rows,
    store: FeatureStore,
    config: Config,
    labels: int,
    *,
    progress: Progress,
) -> Logits:
    """One network's logits (N, K) of rows; (N, T, K) of the tokens of their whole texts where the task is spans."""
    pieces = Pieces.of(config, network.slots)
    seen = rows if pieces is None else pieces.cut(rows)
    feeder = feed(seen, network.slots, store, network.model, progress=progress)
    logits = predict_logits(network.model, feeder, labels, progress=progress)
    return logits if pieces is None else pieces.join(rows, logits)


def averaged(logits: list[Logits]) -> Logits:
    """The mean of logits (N, K); a single one as it stands."""
    if len(logits) == 1:
        return logits[0]
    mean: Logits = np.stack(logits).mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def best_device() -> torch.device:
    """Where a model runs: this machine's accelerator, if it has one."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return torch.device("cpu") if found is None else found


def open_store(config: Config) -> FeatureStore:
    """The feature store that a configuration names."""
    chosen = config.store.path
    return FeatureStore(default_store_path() if chosen == "auto" else chosen)


def feed(
    rows: Rows,
    slots: Mapping[str, Slot],
    store: FeatureStore,
    model: Model,
    *,
    targets: KeptTargets | Targets | None = None,
    weights: npt.NDArray[np.float32] | None = None,
    progress: Progress = silent,
) -> Feeder:
    """Encode what the store lacks of the rows, on the model's device, and serve them as batches.

    Processes of one `accelerate launch` all call this with the same rows: each begins with a share of its own.
    """
    device = next(model.parameters()).device
    for part in [part for slot in slots.values() for part in (slot, slot.lower) if part is not None]:
        if any(parameter.device != device for parameter in islice(part.encoder.parameters(), 1)):
            part.encoder.to(device)  # it would look at every weight, which takes a tenth of a row's prediction
    tokens = model.reads_tokens
    fill(store, slots, rows, tokens=tokens, device=device, first=launched(), progress=progress)
    return Feeder(rows, slots, store, targets=targets, weights=weights, tokens=tokens)

"""Frozen encoders run once for all configurations of a study, before the first of them trains."""

from __future__ import annotations

from collections.abc import Sequence

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.features.slots import Slot
from multitag.features.units import settle_precision
from multitag.fitting.clock import Clock
from multitag.fitting.fitter import Fitter
from multitag.fitting.label_checks import label_space
from multitag.networks import best_device, feed, open_store
from multitag.progress import Progress, silent
from multitag.studies.material import Material


def warm(configs: Sequence[Config], material: Material, *, lenient: bool = False, progress: Progress = silent) -> None:
    """Fill the feature store with what any configuration will ask of it.

    Args:
        configs: The study's configurations.
        material: Its rows.
        lenient: Whether to pass over settings that do not go together: a trial that draws them will say so.
        progress: Told about pictures and texts done.

    Raises:
        ConfigError: Settings do not go together.
        WeightsError: An encoder's weights cannot be had.
        DataError: A picture cannot be read.
    """
    seen: set[str] = set()
    shared: dict[str, Slot] = {}
    for whole in map(settle_precision, configs):  # as their trainings will
        members = [whole] if whole.ensemble is None else [member for member in whole.members.values() if member]
        for config in members:
            asked = config.model_copy(update={"data": whole.data})
            key = repr([config.model_dump(include={"encoders", "fusion", "head", "store"}), asked.data])
            stored = (encoder.frozen or encoder.options.get("first_trained") for encoder in config.encoders.values())
            if key in seen or not any(stored):
                continue
            seen.add(key)
            try:
                _fill(asked, material, shared, progress)
            except ConfigError:
                if not lenient:
                    raise


def _fill(config: Config, material: Material, shared: dict[str, Slot], progress: Progress) -> None:
    reading = material.reading(config)
    rows = material.check(reading.samples, config)
    with open_store(config) as store:
        space = label_space(config, reading.train, None)
        fitter = Fitter(config, space, store, None, resume=False, clock=Clock(), shared=shared)
        network = fitter.build(reading.train.samples, config.seed)
        feed(rows, network.slots, store, network.model.to(best_device()), progress=progress)

"""The same code on a GPU, beside this machine's processor; says so where there is none."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.speed.encoding import CPU, captions, photographs, samples_of
from benchmarks.speed.measure import Figure, compare, skipped
from multitag.config import Config
from multitag.features.fill import fill
from multitag.features.rows import Rows, check_rows
from multitag.features.slots import build_slots
from multitag.features.store import FeatureStore
from multitag.types import Sample


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines."""
    if not torch.cuda.is_available():
        return [skipped("encoding on a GPU", "there is no GPU here")]
    samples = samples_of()
    count = 32 if quick else 512
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {"image": photographs(samples[:count], folder / "pictures"), "text": captions(samples, 8 * count)}
        for settings in (["precision=float32"], ["precision=bfloat16"], ["precision=bfloat16", "runtime=compiled"]):
            for modality, chosen in rows.items():
                how = ", ".join(settings)
                found.append(
                    compare(
                        f"encoding {modality}s on {torch.cuda.get_device_name()}, {how}, {len(chosen):,}",
                        _filling(modality, chosen, folder, settings, torch.device("cuda")),
                        _filling(modality, chosen, folder, ["precision=float32"], CPU),
                        beside_name="its processor in float32",
                        at_least=1.0,
                        runs=runs,
                    )
                )
    return found


def _filling(
    modality: str, samples: list[Sample], folder: Path, settings: list[str], device: torch.device
) -> Callable[[], None]:
    config = Config().changed([f"store.{setting}" for setting in settings])
    slots = {modality: build_slots(config)[modality]}

    def run() -> None:
        rows = check_rows(samples, config) if modality == "image" else Rows(samples, [None] * len(samples))
        with FeatureStore(Path(tempfile.mkdtemp(dir=folder))) as store:
            fill(store, slots, rows, device=device)
            if device.type == "cuda":
                torch.cuda.synchronize()

    run()  # an export or a compilation is not of every run
    return run

"""The same code on a GPU, beside this machine's processor; says so where there is none."""

from __future__ import annotations

import tempfile
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
        for precision in ("float32", "bfloat16"):
            for modality, chosen in rows.items():
                found.append(
                    compare(
                        f"encoding {modality}s on {torch.cuda.get_device_name()} in {precision}, {len(chosen):,}",
                        _filling(modality, chosen, folder, precision, torch.device("cuda")),
                        _filling(modality, chosen, folder, "float32", CPU),
                        beside_name="its processor in float32",
                        at_least=1.0,
                        runs=runs,
                    )
                )
    return found


def _filling(modality: str, samples: list[Sample], folder: Path, precision: str, device: torch.device):  # type: ignore[no-untyped-def]
    config = Config().changed([f"store.precision={precision}"])
    slots = {modality: build_slots(config)[modality]}
    times = iter(range(1_000))

    def run() -> None:
        rows = check_rows(samples, config) if modality == "image" else Rows(samples, [None] * len(samples))
        with FeatureStore(folder / f"{modality}-{precision}-{device.type}-{next(times)}") as store:
            fill(store, slots, rows, device=device)
            if device.type == "cuda":
                torch.cuda.synchronize()

    return run

"""Heads on stored features, beside the same rows through the encoders and beside the bare matrix products."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.speed.encoding import CPU, captions, photographs, samples_of
from benchmarks.speed.made_up import rows_of, slots_of, targets_of, write_features
from benchmarks.speed.measure import Figure, compare, within
from multitag.config import Config
from multitag.features.feeder import Feeder
from multitag.features.fill import ONNX
from multitag.features.slots import build_slots
from multitag.features.store import FeatureStore
from multitag.fitting.joint_loss import make_loss
from multitag.model import build_model
from multitag.tasks.labels import LabelTask
from multitag.training import train
from multitag.types import LabelSpace

WIDTHS = {"image": 1280, "text": 384}
HIDDEN, LABELS, BATCH = 512, 18, 256
SPACE = LabelSpace(tuple(f"label{k:02d}" for k in range(LABELS)))


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines."""
    rows, epochs = (2_600, 2) if quick else (26_000, 20)
    settings = [
        "fusion.name=concat",
        "head.name=mlp",
        f"head.hidden={HIDDEN}",
        f"train.batch_size={BATCH}",
        f"train.epochs={epochs}",
        "train.min_steps=0",
        "train.modality_dropout=0",
    ]
    config = Config().changed(settings)
    what = f"{rows:,} rows x {sum(WIDTHS.values()):,} features, {epochs} epochs of a two-layer head"
    with tempfile.TemporaryDirectory() as folder, FeatureStore(Path(folder, "store")) as store:
        heads = heads_on_features(config, store, rows)
        limit = matrix_products(rows, epochs)
        one = heads_on_features(config.changed(["train.epochs=1"]), store, 256)
        return [
            within(f"training: {what}", heads, seconds=25.0, runs=runs, note="feeding, dropout, average and all"),
            compare(
                f"training beside its limit: {what}",
                heads,
                limit,
                beside_name="its matrix products alone",
                at_least=0.6,
                runs=runs,
                note="forward and both backward products of the head's two layers, batches of the same size",
            ),
            compare(
                "one epoch of head training on stored features, 256 rows",
                one,
                through_encoders(256, Path(folder)),
                beside_name="the same rows through the default encoders",
                at_least=300.0,
                runs=min(runs, 3),
                note="a photograph and a caption each; the epoch beside would train besides",
            ),
        ]


def heads_on_features(config: Config, store: FeatureStore, rows: int) -> Callable[[], None]:
    """A training as `multitag train` does it, on features that are in memory."""
    slots, seen, gold = slots_of(WIDTHS), rows_of(rows), targets_of(rows, LABELS)
    write_features(store, slots, seen)
    feeder = Feeder(seen, slots, store, targets=gold)
    task = LabelTask(SPACE)

    def run() -> None:
        torch.manual_seed(0)
        model = build_model(config, slots, LABELS)
        train(model, make_loss(config, task, gold), task, feeder, None, config.train, seed=0)

    return run


def matrix_products(rows: int, epochs: int) -> Callable[[], None]:
    """What no training of this head can do without."""
    width = sum(WIDTHS.values())
    x, w, v = torch.randn(BATCH, width), torch.randn(width, HIDDEN), torch.randn(HIDDEN, LABELS)
    h, g = torch.randn(BATCH, HIDDEN), torch.randn(BATCH, LABELS)

    def run() -> None:
        for _ in range(epochs * -(-rows // BATCH)):
            x @ w
            h @ v
            g @ v.T
            h.T @ g
            x.T @ h

    return run


def through_encoders(rows: int, folder: Path) -> Callable[[], None]:
    """The frozen encoders run on every row, as each epoch would without a store."""
    few = rows // 8
    slots, samples = build_slots(Config()), samples_of()
    pictures = photographs(samples[:few], folder / "through")
    texts = captions(samples, few)
    encoders = {name: slots[name] for name in ("image", "text")}

    def run() -> None:
        for _ in range(rows // few):
            for name, found in (("image", pictures), ("text", texts)):
                slot = encoders[name]
                for start in range(0, few, 32):
                    inputs = slot.encoder.prepare(slot.items(found[start : start + 32]))
                    slot.run(inputs, folder / ONNX, tokens=False, device=CPU)

    return run

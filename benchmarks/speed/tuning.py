"""Encoders that train with the model: rows per second, and what formats, precisions and compilation bring here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks.speed.encoding import captions, photographs, samples_of
from benchmarks.speed.measure import Figure, compare
from multitag.config import Config
from multitag.encoders import ENCODERS, Encoder, Inputs
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.rows import check_rows
from multitag.features.slots import build_slots
from multitag.features.store import FeatureStore
from multitag.fitting.joint_loss import make_loss
from multitag.model import build_model
from multitag.tasks.labels import LabelTask
from multitag.training import train
from multitag.types import LabelSpace, Sample

BATCH, LABELS, FIRST = 16, 18, 16
ENCODERS_OF = {
    "image": ("efficientnet_lite", {"variant": "lite2", "size": "native"}),
    "text": ("transformers_text", {}),
}


def figures(*, quick: bool, runs: int) -> Iterator[Figure]:
    """The part's lines: the default encoders, a few batches of photographs at 260 pixels and of captions."""
    count = BATCH * (1 if quick else 2)
    with tempfile.TemporaryDirectory() as folder:
        samples = samples_of()
        rows = {
            "image": photographs(samples[:count], Path(folder, "pictures")),
            "text": captions(samples, count),
        }
        for modality, (name, options) in ENCODERS_OF.items():
            what = f"{name}, {count} rows in batches of {BATCH}"
            bare = _bare(modality, rows[modality])
            yield compare(
                f"fine-tuning {what}",
                _ours(modality, name, options, rows[modality], Path(folder)),
                bare,
                beside_name="its bare forward and backward on arrays in memory, plain torch",
                at_least=0.8,
                runs=runs,
                note="ours reads files, clips, averages, moves the weights besides",
            )
            for way, how in _WAYS.items():
                if modality == "text" and way != "bfloat16":  # no channels; compiling for every length takes minutes
                    continue
                yield compare(
                    f"bare forward and backward in {way}: {what}",
                    _bare(modality, rows[modality], **how),
                    bare,
                    beside_name="the same in plain torch",
                    at_least=1.0,
                    runs=runs,
                )
        yield _in_part(rows["image"], Path(folder), runs)


def _in_part(rows: Sequence[Sample], folder: Path, runs: int) -> Figure:
    """Pictures at their default size: the last blocks alone, on stored states, beside all of them."""
    name, precision = "efficientnet_lite", "train.precision=bfloat16"
    return compare(
        f"fine-tuning {name} from block {FIRST} on, 384 pixels, bfloat16, {len(rows)} rows in batches of {BATCH}",
        _ours("image", name, {"first_trained": FIRST}, rows, folder, precision),
        _ours("image", name, {}, rows, folder, precision),
        beside_name="all blocks, from files",
        at_least=5.0,
        runs=runs,
        note="the blocks before ran once, for the store: that is not counted",
    )


_WAYS: dict[str, dict[str, Any]] = {
    "channels-last": {"channels_last": True},
    "bfloat16": {"bfloat16": True, "channels_last": True},
    "torch.compile": {"compiled": True},
}


def _encoder(modality: str) -> Encoder:
    name, options = ENCODERS_OF[modality]
    encoder: Encoder = ENCODERS.build(name, options)
    encoder.load()
    return encoder.train()


def _batches(encoder: Encoder, modality: str, rows: Sequence[Sample]) -> list[Inputs]:
    from multitag.features.slots import Slot

    slot = Slot(modality, encoder, frozen=False)
    return [encoder.prepare(slot.items(rows[start : start + BATCH])) for start in range(0, len(rows), BATCH)]


def _bare(
    modality: str,
    rows: Sequence[Sample],
    *,
    channels_last: bool = False,
    bfloat16: bool = False,
    compiled: bool = False,
) -> Callable[[], None]:
    encoder = _encoder(modality)
    batches = _batches(encoder, modality, rows)
    if channels_last and modality == "image":
        encoder.to(memory_format=torch.channels_last)
    called: nn.Module = torch.compile(encoder, dynamic=modality == "text") if compiled else encoder

    def run() -> None:
        for inputs in batches:
            with torch.autocast("cpu", torch.bfloat16) if bfloat16 else nullcontext():
                pooled = called(inputs).pooled
            pooled.float().square().mean().backward()
            encoder.zero_grad(set_to_none=True)

    return run


def _ours(
    modality: str, name: str, options: dict[str, Any], rows: Sequence[Sample], folder: Path, *changed: str
) -> Callable[[], None]:
    values = {"encoders": {modality: {"name": name, "frozen": False, **options}}, "fusion": {"name": "concat"}}
    changes = ["head.name=linear", "train.epochs=1", "train.min_steps=0", f"train.batch_size={BATCH}"]
    config = Config.parse(values).changed([*changes, "train.modality_dropout=0", *changed])
    slots = build_slots(config)
    space = LabelSpace(tuple(f"label{k}" for k in range(LABELS)))
    gold = torch.rand(len(rows), LABELS).round().numpy()
    seen = check_rows(rows, config)
    with FeatureStore(folder / modality) as store:
        fill(store, slots, seen)  # nothing, where all of the encoder trains

    def run() -> None:
        with FeatureStore(folder / modality) as store:
            feeder = Feeder(seen, slots, store, targets=gold)
            model = build_model(config, slots, LABELS)
            task = LabelTask(space)
            train(model, make_loss(config, task, gold), task, feeder, None, config.train, seed=0)

    return run

"""Quick configurations, tables, and trainings in processes of their own that are killed at a known place."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from multitag.config import Config
from multitag.training.steps import Stepper
from multitag.types import Sample

ONLY_TEXT = {"text": {"name": "bag_of_ngrams", "ngrams": 1, "min_count": 1}}
TEXT_AND_PICTURE = {**ONLY_TEXT, "image": {"name": "efficientnet_lite", "variant": "lite0", "size": 64, "pool": "mean"}}


def quick(changes: Iterable[str] = (), *, encoders: dict[str, Any] | None = None, **sections: Any) -> Config:
    """A configuration that trains in a moment: words only, a linear head, six epochs; no encoder is exported."""
    values = {
        "encoders": encoders or ONLY_TEXT,
        "fusion": {"name": "concat"},
        "head": {"name": "linear"},
        "train": {
            "epochs": 6,
            "min_steps": 0,
            "batch_size": 8,
            "lr": 0.05,
            "folds": 0,
            "ema": 0.0,
            **sections.pop("train", {}),
        },
        "decision": {"name": "global_threshold", **sections.pop("decision", {})},
        "store": {"runtime": "torch", **sections.pop("store", {})},
        **sections,
    }
    return Config.parse(values).changed(changes)


def unfrozen(model: Path) -> dict[str, Any]:
    """A text encoder that trains."""
    return {"text": {"name": "transformers_text", "model": str(model), "frozen": False}}


SCENES = [
    ("a dog runs", ("animal",)),
    ("the boat sails on the sea", ("sea",)),
    ("two men walk", ("people",)),
    ("a bird flies over the sea", ("animal", "sea")),
    ("two men sail a boat", ("people", "sea")),
]


def scenes(rows: int = 40, *, start: int = 0, **fields: Any) -> list[Sample]:
    """Rows whose labels follow from their words."""
    return [
        Sample(f"row{n}", text=SCENES[n % 5][0] + f" number {n % 3}", labels=SCENES[n % 5][1], **fields)
        for n in range(start, start + rows)
    ]


@dataclass(frozen=True)
class Kill:
    """Where a process kills itself.

    Attributes:
        place: The end of the path of a file: the process dies before the file takes its place. ``"store"``: in the
            middle of a transaction of the feature store.
        time: At which such file or transaction, from 1.
    """

    place: str
    time: int = 1


PRELOAD = [
    "multitag.classifier",
    "multitag.encoders.transformers_image",
    "multitag.encoders.transformers_text",
    "multitag.encoders.bag_of_ngrams",
    "transformers.models.bert.modeling_bert",
    "transformers.models.resnet.modeling_resnet",
    "torch._dynamo",
    "iterstrat.ml_stratifiers",
    "sklearn.linear_model",
]
"""What the server of forks imports once, so that each child need not."""


def forkserver() -> ForkServerContext:
    """Where processes come from that need not import what the tests use."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def train_in_child(
    config: Config,
    rows: str | Path | Sequence[Sample],
    out: Path,
    *,
    kill: Kill | None = None,
    resume: bool = False,
    overwrite: bool = False,
    unlabeled: Sequence[Sample] | None = None,
    teacher: Path | None = None,
) -> int:
    """Train in a process of its own; its exit code, -9 where it was killed."""
    arguments = (config.dump(), rows, out, kill, resume, overwrite, unlabeled, teacher)
    process = forkserver().Process(target=_train, args=arguments)
    process.start()
    process.join(120)
    assert process.exitcode is not None, "the training hangs"
    return process.exitcode


def train_in_two(config: Config, rows: str | Path | Sequence[Sample], out: Path, **options: Any) -> list[int]:
    """Train in two processes on the CPU, as `accelerate launch` starts them; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        forkserver().Process(target=_train_rank, args=(rank, port, config, rows, out, options)) for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
        if process.exitcode is None:
            process.kill()
    return [process.exitcode or 0 for process in processes]


def _train_rank(
    rank: int, port: int, config: Config, rows: str | Path | Sequence[Sample], out: Path, options: dict[str, Any]
) -> None:
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "ACCELERATE_USE_CPU": "true",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    kill, resume = options.get("kill"), options.get("resume", False)
    _train(config.dump(), rows, out, kill, resume, False, options.get("unlabeled"), options.get("teacher"))


def _train(
    config: str,
    rows: str | Path | Sequence[Sample],
    out: Path,
    kill: Kill | None,
    resume: bool,
    overwrite: bool,
    unlabeled: Sequence[Sample] | None,
    teacher: Path | None = None,
) -> None:
    import tomllib
    import warnings

    import torch

    from multitag.classifier import Classifier

    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if kill is not None:
        _die_in_transaction(kill.time) if kill.place == "store" else _die_before_replacing(kill)
    classifier = Classifier(Config.parse(tomllib.loads(config)))
    classifier.fit(rows, unlabeled=unlabeled, teacher=teacher, out=out, resume=resume, overwrite=overwrite)


def _die_before_replacing(kill: Kill) -> None:
    replace, seen = os.replace, 0

    def dying(source: Any, target: Any) -> None:
        nonlocal seen
        if str(target).endswith(kill.place):
            seen += 1
            if seen == kill.time:
                os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)

    os.replace = dying


def _die_in_transaction(time: int) -> None:
    from multitag.features.environment import Environment

    transaction, seen = Environment.transaction, 0

    class Dying:
        """A transaction in which the process dies at some write."""

        def __init__(self, real: Any) -> None:
            self.real = real

        def put(self, key: bytes, value: bytes, *, overwrite: bool) -> bool:
            nonlocal seen
            new: bool = self.real.put(key, value, overwrite=overwrite)
            seen += 1
            if seen == 5 * time:
                os.kill(os.getpid(), signal.SIGKILL)
            return new

    @contextmanager
    def dying(self: Environment, *, write: bool = False) -> Iterator[Any]:
        with transaction(self, write=write) as real:
            yield Dying(real) if write else real

    Environment.transaction = dying  # type: ignore[method-assign]


def contents(folder: Path) -> dict[str, Any]:
    """All of a run that must be equal where two trainings are: weights, decision, held-out rows, history, the rest."""
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    metrics = json.loads((folder / "metrics.json").read_text())
    return {
        **{name: (folder / name).read_bytes() for name in ("model.safetensors", "held_out.safetensors")},
        **{
            name: json.loads((folder / name).read_text())
            for name in ("decision.json", "labels.json", "preprocess.json")
        },
        "history": [{key: value for key, value in row.items() if key != "seconds"} for row in history],
        "validation": metrics["validation"],
        "files": sorted(path.name for path in folder.iterdir()),
    }


def stop_at(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at the `number`th step of a training."""
    step, calls = Stepper.step, 0

    def counted(self: Stepper, *args: Any, **options: Any) -> float:
        nonlocal calls
        calls += 1
        if calls == number:
            signal.raise_signal(signal.SIGINT)
        return step(self, *args, **options)

    monkeypatch.setattr(Stepper, "step", counted)

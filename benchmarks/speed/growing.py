"""Whether time and memory per row stay flat: each size in a process of its own, on made-up features or words.

    python -m benchmarks.speed.growing train 100000 18

does one of them and prints a JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.speed.measure import Figure, known, reached

WIDTHS = {"image": 192, "text": 64}
QUICK = [("train", 1_000, 18), ("train", 1_000, 500), ("store", 1_000, 18), ("predict", 2_000, 18)]
SIZES = [
    *(("train", rows, 18) for rows in (1_000, 10_000, 100_000, 1_000_000)),
    *(("train", 10_000, labels) for labels in (1_000, 5_000)),
    ("decide", 2_000, 5_000),
    ("store", 1_000_000, 18),
    *(("predict", rows, 18) for rows in (10_000, 1_000_000)),
]


def figures(*, quick: bool, runs: int) -> Iterator[Figure]:
    """The part's lines; each size once, as a million rows take a while."""
    for job, rows, labels in QUICK if quick else SIZES:
        said = _alone(job, rows, labels)
        name = f"{rows:,} rows, {labels:,} labels"
        rss = f"{said['megabytes']:,.0f} MB resident, {said['own_kb_per_row']:.3g} kB a row above a start"
        if job == "predict":
            seconds = said["microseconds_per_row"]
            line = (f"multitag predict, {name}: memory", said["megabytes"], "MB", 1500.0)
            yield reached(*line, note=f"{seconds:.3g} microseconds a row; texts, bag of n-grams")
        elif job == "store":
            speeds = f"{said['written']:,.0f} rows a second written, {said['read']:,.0f} read"
            note = f"{speeds}; {said['bytes']:,.0f} bytes a row for {4 * sum(WIDTHS.values()):,} of features"
            yield reached(f"opening a store of {rows:,} rows", said["opening"], "s", 1.0, note=note)
        else:
            verb = "an epoch of a linear head" if job == "train" else "thresholds and metrics"
            yield known(f"{verb}, {name}", said["microseconds_per_row"], "microseconds a row", note=rss)


def _alone(job: str, rows: int, labels: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.speed.growing", job, str(rows), str(labels)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found


def _megabytes() -> float:
    """The most memory this process has had; what getrusage says begins with the memory of who started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def train(folder: Path, rows: int, labels: int) -> dict[str, float]:
    """An epoch on features from a store."""
    import torch

    from benchmarks.speed.made_up import rows_of, slots_of, targets_of, write_features
    from multitag.config import Config
    from multitag.features.feeder import Feeder
    from multitag.features.store import FeatureStore
    from multitag.fitting.joint_loss import make_loss
    from multitag.inference import predict_logits
    from multitag.model import build_model
    from multitag.tasks.labels import LabelTask
    from multitag.training import train as run
    from multitag.types import LabelSpace

    changes = ["fusion.name=concat", "head.name=linear", "train.epochs=1", "train.min_steps=0", "train.batch_size=256"]
    config = Config().changed([*changes, "train.modality_dropout=0"])
    slots, space = slots_of(WIDTHS), LabelSpace(tuple(f"label{k:04d}" for k in range(labels)))
    task = LabelTask(space)
    with FeatureStore(folder) as store:
        write_features(store, slots, rows_of(rows))
        before = _megabytes()

        def whole() -> None:
            gold = targets_of(rows, labels)
            feeder = Feeder(rows_of(rows), slots, store, targets=gold)
            torch.manual_seed(0)
            model = build_model(config, slots, labels)
            run(model, make_loss(config, task, gold), task, feeder, None, config.train, seed=0)
            predict_logits(model, feeder, labels)

        seconds = _timed(whole)
    return {"microseconds_per_row": 1e6 * seconds / rows, "own_kb_per_row": 1024 * (_megabytes() - before) / rows}


def decide(folder: Path, rows: int, labels: int) -> dict[str, float]:
    """Calibration, thresholds and all metrics of many labels."""
    import numpy as np

    from benchmarks.speed.made_up import targets_of
    from multitag.decisions import CALIBRATIONS, DECISIONS
    from multitag.metrics import METRICS
    from multitag.metrics.answers import Answers
    from multitag.metrics.bootstrap import bootstrap

    gold = targets_of(rows, labels)
    logits = (np.random.default_rng(0).standard_normal(gold.shape, np.float32) + 4 * gold - 4).astype(np.float32)
    before = _megabytes()

    def whole() -> None:
        probabilities = CALIBRATIONS.build("per_label", {}).fit(logits, gold).apply(logits)
        decision = DECISIONS.build("per_label", {}).fit(probabilities, gold)
        answers = Answers(gold, decision.apply(probabilities), probabilities)
        bootstrap(answers, list(METRICS.names()), rounds=10)

    seconds = _timed(whole)
    return {"microseconds_per_row": 1e6 * seconds / rows, "own_kb_per_row": 1024 * (_megabytes() - before) / rows}


def store(folder: Path, rows: int, labels: int) -> dict[str, float]:
    """Writing, opening, reading."""
    from benchmarks.speed.made_up import rows_of, slots_of, write_features
    from multitag.features.store import FeatureStore

    slots, seen = slots_of({"image": sum(WIDTHS.values())}), rows_of(rows)
    slot = slots["image"]
    with FeatureStore(folder) as opened:
        writing = _timed(lambda: write_features(opened, slots, seen))
    started = time.perf_counter()
    opened = FeatureStore(folder)
    opened.pooled(slot.fingerprint, [str(seen.hashes[rows // 2])], slot.encoder.width)
    opening = time.perf_counter() - started
    contents = [str(content) for content in seen.hashes]

    def read() -> None:
        for start in range(0, rows, 1024):
            opened.pooled(slot.fingerprint, contents[start : start + 1024], slot.encoder.width)

    reading = _timed(read)
    opened.close()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return {
        "opening": opening,
        "written": rows / writing,
        "read": rows / reading,
        "bytes": size / rows,
        "own_kb_per_row": 0,
    }


def predict(folder: Path, rows: int, labels: int) -> dict[str, float]:
    """The command, on a table of texts, in a process whose memory is the answer."""
    import numpy as np

    words = np.array([f"word{n}" for n in range(200)])
    generator = np.random.default_rng(0)

    def write(path: Path, count: int) -> None:
        with path.open("w") as file:
            file.write("id,text,labels\n")
            for start in range(0, count, 10_000):
                chosen = generator.integers(0, 200, (min(10_000, count - start), 10))
                for row, places in enumerate(chosen):
                    file.write(f"{start + row},{' '.join(words[places])},label{places[0] % labels}\n")

    write(folder / "train.csv", 1_000)
    write(folder / "new.csv", rows)
    options = ["encoders={}", "encoders.text.name=bag_of_ngrams", "fusion.name=concat", "head.name=linear"]
    sets = [part for option in [*options[1:], "train.folds=0", "train.epochs=2"] for part in ("--set", option)]
    run = [sys.executable, "-m", "multitag"]
    out = str(folder / "run")
    alone = ["train", str(folder / "train.csv"), "--without", "image", "--out", out, "--quiet", *sets]
    subprocess.run([*run, *alone], check=True, capture_output=True)
    answers = str(folder / "answers.csv")
    command = [*run, "predict", out, str(folder / "new.csv"), "--out", answers, "--quiet"]
    code = (
        "import json, resource, subprocess, sys, time; t = time.perf_counter();"
        "subprocess.run(sys.argv[1:], check=True, capture_output=True);"
        "print(json.dumps([time.perf_counter() - t, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))"
    )
    said = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True).stdout
    seconds, megabytes = json.loads(said)
    return {"microseconds_per_row": 1e6 * seconds / rows, "megabytes": megabytes, "own_kb_per_row": 0}


def main() -> None:
    """One size."""
    job, rows, labels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        found = {"train": train, "decide": decide, "store": store, "predict": predict}[job](Path(folder), rows, labels)
    print(json.dumps({"megabytes": _megabytes(), **found}))


if __name__ == "__main__":
    main()

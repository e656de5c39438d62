"""The table of span taggers in docs: chance, a list of phrases, the default, other decoders, pictures, rows' labels.

    python benchmarks/spans.py [--data ../shared/data/semeval2021_memes] [--seeds 3] [--only NAME ...] [--quick]

All trained on train_task2.json with pictures and label sets of train_task3.json beside it, scored on the 63 memes of
dev_task2.json, which nothing is chosen by. Decoders that read the same outputs share one network. Writes
benchmarks/spans.json after every network, and goes on from it where it was stopped (--again begins anew).
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from multitag import SpanTagger
from multitag.data.table import read_table
from multitag.errors import DataWarning
from multitag.recipes import configure
from multitag.span_evaluation import SpanEvaluation, evaluate_spans
from multitag.spans.baselines import find_phrases, learn_phrases, random_spans
from multitag.types import LabelSpace, Sample, SpanPredictions

SHOWN = ("partial_f1", "partial_precision", "partial_recall", "exact_f1")
OWN = "as trained"
PICTURE = ["encoders.image.name=efficientnet_lite"]


@dataclass(frozen=True)
class System:
    """A training, and the decoders that are fitted on what it says."""

    changes: tuple[str, ...] = ()
    recipe: str | None = None
    decoders: tuple[str, ...] = (OWN,)


SYSTEMS = {
    "default": System(decoders=(OWN, "global_threshold", "crf", "rescored")),
    "offline-dong2024-spans": System(recipe="offline-dong2024-spans"),
    "begin_inside": System(("decoder.name=begin_inside",)),
    "picture, concat": System((*PICTURE, "fusion.name=concat")),
    "picture, cross_attention": System((*PICTURE, "fusion.name=cross_attention", "fusion.asks=tokens")),
    "joint": System(("joint.weight=0.5",)),
    "joint, gated": System(("joint.weight=0.5", "joint.gate=0.5")),
}
Found = dict[str, dict[str, Any]]


def baselines(train: list[Sample], test: list[Sample]) -> dict[str, SpanEvaluation]:
    """What needs no network: spans by chance, and the phrases that were marked in training."""
    space = LabelSpace.from_spans(train)
    texts = [sample.text or "" for sample in test]
    known = [sample for sample in train if sample.spans is not None]
    phrases = learn_phrases([s.text or "" for s in known], [s.spans or () for s in known], precision=0.5)
    given = {
        "chance": random_spans(texts, space.names),
        "phrases of the training spans": find_phrases(phrases, texts),
    }
    ids = tuple(sample.id for sample in test)
    return {
        name: evaluate_spans(SpanPredictions(ids, space, tuple(texts), tuple(spans)), test)
        for name, spans in given.items()
    }


def trained(name: str, seed: int, train: Path, test: Path, images: Path, changes: list[str]) -> Found:
    """The scores of one training under each of its decoders, by the name of its line in the table."""
    system = SYSTEMS[name]
    config = configure(task="spans", recipe=system.recipe, changes=[*system.changes, *changes], seed=seed)
    started = time.monotonic()
    tagger = SpanTagger(config).fit(train, images=images)
    seconds = time.monotonic() - started
    found = {}
    for decoder in system.decoders:
        if decoder != OWN:
            tagger.set_decoder(decoder)
        line = name if decoder == OWN else f"{name}, {decoder}"
        found[line] = {**scores(tagger.evaluate(test, images=images)), "seconds": round(seconds, 1)}
    return found


def scores(evaluation: SpanEvaluation) -> dict[str, Any]:
    """The metrics that are shown, and the interval of the first."""
    first = evaluation.metrics[SHOWN[0]]
    values = {key: round(evaluation.metrics[key].value, 4) for key in SHOWN}
    return {**values, "interval": [round(first.low, 4), round(first.high, 4)]}


def show(lines: dict[str, Found]) -> None:
    """The table as Markdown: means over seeds, with half the spread."""
    print("\n| | partial F1 | precision | recall | exact F1 | seeds | seconds |\n|---|---|---|---|---|---|---|")
    for name, seeds in lines.items():
        every = list(seeds.values())
        cells = []
        for key in SHOWN:
            values = [each[key] for each in every]
            spread = f" ± {np.ptp(values) / 2:.3f}" if len(values) > 1 else ""
            cells.append(f"{np.mean(values):.3f}{spread}")
        seconds = f"{np.median([each['seconds'] for each in every]):.0f}" if "seconds" in every[0] else ""
        print(f"| {name} | {' | '.join(cells)} | {', '.join(seeds)} | {seconds} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/semeval2021_memes"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS), metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="Frozen encoders, one seed, one epoch; not kept.")
    parser.add_argument("--again", action="store_true", help="Measure what is in the output file anew, too.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("spans.json"))
    given = parser.parse_args()
    train, test, images = (given.data / name for name in ("train_task2.json", "dev_task2.json", "images"))
    if not train.is_file():
        parser.error(f"{train} is not there. Fix: --data FOLDER with SemEval-2021 task 6's files")
    warnings.simplefilter("ignore", DataWarning)
    kept = given.out.is_file() and not given.quick and not given.again
    lines: dict[str, Found] = json.loads(given.out.read_text("utf-8")) if kept else {}
    for name, evaluation in baselines(read_table(train).samples, read_table(test).samples).items():
        lines[name] = {"0": scores(evaluation)}
    quick = ["encoders.text.frozen=true", "train.epochs=1", "train.folds=0"] if given.quick else []
    for seed in range(1 if given.quick else given.seeds):
        for name in given.only:
            if str(seed) in lines.get(name, {}):
                continue
            for line, found in trained(name, seed, train, test, images, quick).items():
                lines.setdefault(line, {})[str(seed)] = found
                print(line, seed, json.dumps(found), flush=True)
            if not given.quick:
                given.out.write_text(json.dumps(lines, indent=1) + "\n", "utf-8")
    show(lines)


if __name__ == "__main__":
    main()

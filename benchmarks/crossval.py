"""Presets beside plain baselines on a small table, cross-validated: too few rows to hold some out.

    python benchmarks/crossval.py --data memes [--only NAME ...] [--parts 5] [--time-limit 5m]
    python benchmarks/crossval.py --data openclipart

Every row is answered once, by a system that was fitted on the other parts, its own decision included; metrics are of
all rows together, and systems are compared by a paired bootstrap (1,000 rounds). `memes` are the 750 of SemEval-2021
task 6, subtask 3, at ../shared/data. Baselines choose their penalty and one common threshold for the same metric by
cross-fitting inside the rows they are fitted on. Answers are kept in --keep, and a system found there is not run again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from multitag import Classifier
from multitag.config import Config
from multitag.data.bundled import bundled_path
from multitag.data.split import folds
from multitag.data.table import read_table
from multitag.decisions import DECISIONS
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.rows import check_rows
from multitag.features.slots import build_slots
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import paired_bootstrap
from multitag.networks import open_store
from multitag.recipes import configure
from multitag.types import LabelSpace, Modality, Sample

SHOWN = ("samples_f1", "micro_f1", "macro_f1", "map")
WORDS, EMBEDDINGS = "TF-IDF + logistic regression", "logistic regression on joined embeddings"
PRESETS: dict[str, tuple[str, Modality | None]] = {
    "fast, pictures alone": ("fast", "text"),
    "fast, texts alone": ("fast", "image"),
    "fast": ("fast", None),
    "balanced": ("balanced", None),
    "best": ("best", None),
}
"""Each by its name, and what is taken away from all rows."""
PENALTIES = {WORDS: (1.0, 10.0, 100.0), EMBEDDINGS: (0.0003, 0.001, 0.003, 0.01)}
MEMES = Path("../shared/data/semeval2021_memes")
Floats = npt.NDArray[np.float64]
Answer = Callable[[list[int], list[int]], tuple[npt.NDArray[np.bool_], Floats]]
"""Rows to fit on and rows to answer, by place: label sets and probabilities."""


def rows_of(data: str) -> list[Sample]:
    """All labelled rows of the data, those of its test set included."""
    if data == "openclipart":
        folder, names = bundled_path("openclipart"), ("train.csv", "test.csv")
    else:
        folder, names = MEMES, ("train_task3.json", "dev_task3.json")
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not there. Fix: --data openclipart, which is bundled")
    return [row for name in names for row in read_table(folder / name, images=folder / "images").samples]


def embedded(samples: list[Sample]) -> Floats:
    """(N, D): what the default configuration's frozen encoders say of pictures and texts, side by side."""
    config = Config()
    rows = check_rows(samples, config)
    slots = build_slots(config.resolved())
    with open_store(config) as store:
        fill(store, slots, rows, tokens=frozenset(), device=torch.device("cpu"))
        feeder = Feeder(rows, slots, store)
        return np.concatenate([feeder.pooled(name, range(len(rows))).numpy() for name in slots], axis=1).astype(float)


def baseline(name: str, samples: list[Sample], truth: Floats, metric: str) -> Answer:
    """scikit-learn as a careful user writes it."""
    given: Any = [row.text or "" for row in samples] if name == WORDS else embedded(samples)

    def model(penalty: float) -> ClassifierMixin:
        # All components: the same model, with as many weights as rows where there are more features than that.
        first = [TfidfVectorizer(sublinear_tf=True)] if name == WORDS else [StandardScaler(), PCA(svd_solver="full")]
        return make_pipeline(*first, OneVsRestClassifier(LogisticRegression(C=penalty, max_iter=2000)))

    def answer(fitted_on: list[int], asked: list[int]) -> tuple[npt.NDArray[np.bool_], Floats]:
        known, new = ([given[place] for place in places] for places in (fitted_on, asked))
        gold = truth[fitted_on].astype(int)
        tried: list[tuple[float, float, Any]] = []
        for penalty in PENALTIES[name]:
            said = cross_val_predict(model(penalty), known, gold, cv=3, method="predict_proba")
            cut: Any = DECISIONS.build("global_threshold", {"metric": metric})
            cut.fit(said, gold.astype(np.float32), always_labelled=bool(gold.any(axis=1).all()))
            tried.append((METRICS.get(metric)(Answers(gold.astype(np.float32), cut.apply(said), said)), penalty, cut))
        _, penalty, cut = max(tried, key=lambda each: each[0])
        probabilities = model(penalty).fit(known, gold).predict_proba(new)
        return cut.apply(probabilities), probabilities

    return answer


def of_preset(name: str, samples: list[Sample], space: LabelSpace, metric: str, limit: str | None) -> Answer:
    """A preset as it comes; another decision than its own where the metric is not that of its own."""
    preset, away = PRESETS[name]
    if away is not None:
        samples = [replace(row, **{away: None}) for row in samples]  # type: ignore[arg-type]
    changes = [] if limit is None else [f"train.time_limit={limit}"]
    if metric != "samples_f1":
        changes += ["decision.name=global_threshold", f"decision.metric={metric}"]

    def answer(fitted_on: list[int], asked: list[int]) -> tuple[npt.NDArray[np.bool_], Floats]:
        config = configure(preset=preset, changes=changes).values()
        config["data"]["label_names"] = list(space.names)
        classifier = Classifier(Config.parse(config)).fit([samples[place] for place in fitted_on])
        said = classifier.predict([samples[place] for place in asked])
        assert said.probabilities is not None
        return said.values, said.probabilities

    return answer


def answered(answer: Answer, parts: list[tuple[list[int], list[int]]], truth: Floats) -> tuple[Answers, float]:
    """The answers to all rows, each by what was fitted on the other parts, and the seconds of a part."""
    claimed, probabilities, seconds = np.zeros(truth.shape, bool), np.zeros(truth.shape), list[float]()
    for fitted_on, asked in parts:
        started = time.monotonic()
        claimed[asked], probabilities[asked] = answer(fitted_on, asked)
        seconds.append(time.monotonic() - started)
    return Answers(truth.astype(np.float32), claimed, probabilities), float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=("memes", "openclipart"), default="memes")
    parser.add_argument("--only", nargs="+", choices=(WORDS, EMBEDDINGS, *PRESETS), metavar="NAME")
    parser.add_argument("--metric", default=None, help="micro_f1 for memes, samples_f1 for openclipart.")
    parser.add_argument("--parts", type=int, default=5)
    parser.add_argument("--time-limit", help="Of each training of a preset.")
    parser.add_argument("--keep", type=Path, help="Where answers are kept.")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    metric = given.metric or ("micro_f1" if given.data == "memes" else "samples_f1")
    samples = rows_of(given.data)
    space = LabelSpace.from_samples(samples)
    truth = np.asarray(space.encode(samples), float)
    hashes = check_rows(samples, Config()).hashes
    parts = [
        (part.train_indices.tolist(), part.held_indices.tolist())
        for part in folds(samples, space, given.parts, 0, copies=hashes)
    ]
    found: dict[str, tuple[Answers, float]] = {}
    for name in (WORDS, EMBEDDINGS, *PRESETS):
        path = (
            None if given.keep is None else given.keep / f"{given.data}-{name.replace(' ', '_').replace(',', '')}.npz"
        )
        if path is not None and path.is_file():
            kept = np.load(path)
            found[name] = Answers(truth.astype(np.float32), kept["claimed"], kept["said"]), float(kept["seconds"])
        elif given.only is None or name in given.only:
            answer = (
                of_preset(name, samples, space, metric, given.time_limit)
                if name in PRESETS
                else baseline(name, samples, truth, metric)
            )
            found[name] = answered(answer, parts, truth)
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                answers, seconds = found[name]
                said = np.asarray(answers.probabilities)
                np.savez(path, claimed=answers.predicted, said=said, seconds=np.array(seconds))
        else:
            continue
        print(name, {key: round(float(METRICS.get(key)(found[name][0])), 4) for key in SHOWN}, flush=True)
    rows = []
    for name, (answers, seconds) in found.items():
        row: dict[str, Any] = {"system": name, "seconds": round(seconds, 1)}
        row |= {key: round(float(METRICS.get(key)(answers)), 4) for key in SHOWN}
        for other in (WORDS, EMBEDDINGS):
            if name in PRESETS and other in found:
                gaps = paired_bootstrap(answers, found[other][0], SHOWN)
                row[f"over {other}"] = {
                    key: [round(value, 4) for value in (gap.value, gap.low, gap.high)] for key, gap in gaps.items()
                }
        rows.append(row)
        print(json.dumps(row))
    if given.out:
        whole = {"data": given.data, "rows": len(samples), "parts": given.parts, "metric": metric, "systems": rows}
        given.out.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

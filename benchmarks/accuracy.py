"""The accuracy tables of README and docs: multitag, every recipe that needs no hub, and a plain baseline.

    python benchmarks/accuracy.py [--data ../shared/data/comp5329 | openclipart] [--seeds 3] [--only NAME ...]
    python benchmarks/accuracy.py --only "preset best" --runs runs/0 runs/1 runs/2
    python benchmarks/accuracy.py --quick

All on the same rows and seeds: trained on train.csv, scored on valid.csv (of openclipart, the bundled data, test.csv),
which nothing is tuned on. Writes benchmarks/accuracy.json (accuracy-openclipart.json) after every system, and goes on
from it where it was stopped (--again begins anew). The quick form shows that all works, in a minute or two: three
systems on the first rows of the bundled data, into benchmarks/accuracy-quick.json, which no table is made of.
Runs that `multitag train` made of a preset on train.csv, a seed each, are scored in place of training it here.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from multitag import Classifier
from multitag.data.bundled import bundled_path
from multitag.data.table import read_table
from multitag.evaluation import Evaluation, evaluate
from multitag.features.rows import check_rows
from multitag.fitting.copies import kept_keys
from multitag.recipes import configure, recipe_names
from multitag.types import LabelSpace, Predictions, Sample

SHOWN = ("samples_f1", "micro_f1", "macro_f1", "map")
BASELINE = "TF-IDF + logistic regression (scikit-learn)"
FROZEN_DVTT = "offline-dong2024-dvtt, its first stage"
SYSTEMS: dict[str, dict[str, Any] | None] = {
    BASELINE: None,
    "texts alone": {"without": ["image"]},
    "pictures alone": {"without": ["text"]},
    "multitag": {},
    **{f"preset {name}": {"preset": name} for name in ("fast", "balanced", "best")},
    **{
        name: {"recipe": name}
        for name in recipe_names()
        if name.startswith(("offline-", "tfidf")) and not name.endswith("-spans")
    },
    # Both encoders frozen and larger batches: minutes in place of the hours that tuning takes on a processor.
    FROZEN_DVTT: {
        "recipe": "offline-dong2024-dvtt",
        "changes": ["encoders.text.frozen=true", "train.stages=[]", "train.batch_size=32", "train.epochs=10"],
    },
    "bosia2023-lstm": {"recipe": "bosia2023-lstm"},
}
SLOW = ("offline-dong2024-dvtt", "bosia2023-lstm")
"""Left out unless asked for by name: they take hours on two cores."""
PRESETS = tuple(name for name in SYSTEMS if name.startswith("preset "))
BOTH = ("multitag", *PRESETS)
"""Systems that read pictures and texts, and are scored on rows that lack one of them too."""
QUICK_ROWS = 80
"""The quick form trains on so many, and scores half as many."""
QUICK_CHANGES = ["train.folds=2", "train.epochs=3", "train.min_steps=0"]
"""Two networks of each member show as much as five that all works, and three epochs of them as much as twenty."""
Result = tuple[Evaluation, dict[str, float]]


def tfidf(rows: list[Sample], new: list[Sample]) -> Result:
    """scikit-learn as a careful user writes it: C = 10, the best label where none passes."""
    space = LabelSpace.from_samples(rows)
    started = time.monotonic()
    vectorizer = TfidfVectorizer(sublinear_tf=True)
    model = OneVsRestClassifier(LogisticRegression(C=10, max_iter=1000), n_jobs=-1)
    model.fit(vectorizer.fit_transform([row.text or "" for row in rows]), space.encode(rows))
    probabilities = model.predict_proba(vectorizer.transform([row.text or "" for row in new]))
    chosen = probabilities >= 0.5
    if all(row.labels for row in rows):
        chosen[np.arange(len(chosen)), probabilities.argmax(1)] = True
    seconds = time.monotonic() - started
    megabytes = len(vectorizer.vocabulary_) * (len(space) + 1) * 8 / 1e6
    predictions = Predictions(tuple(row.id for row in new), space, chosen, probabilities)
    return evaluate(predictions, new), {"seconds": seconds, "megabytes": megabytes}


def ours(rows: list[Sample], new: list[Sample], seed: int, *, both: bool = False, **options: Any) -> Result:
    """multitag's default, or the configuration that the options make."""
    started = time.monotonic()
    classifier = Classifier(configure(seed=seed, **options)).fit(rows)
    seconds = time.monotonic() - started
    evaluation = classifier.evaluate(new)
    fitted = classifier.fitted_
    assert fitted is not None
    size = fitted.size.trained_megabytes + fitted.size.frozen_megabytes
    cost = {"seconds": seconds, "megabytes": size}
    return evaluation, cost | (lacking(classifier, new) if both else {})


def of_run(folder: Path, preset: str, rows: list[Sample], new: list[Sample]) -> Result:
    """A preset that was trained by `multitag train`, scored as one that is trained here.

    Raises:
        SystemExit: The run is of something else, or of other rows.
    """
    classifier = Classifier.load(folder)
    keys = kept_keys(check_rows(rows, classifier.config))
    if classifier.config.preset != preset or not np.array_equal(keys, classifier.pipeline_.trained_on):
        raise SystemExit(
            f"{folder} is no run of these rows with --preset {preset}: its preset is "
            f"{classifier.config.preset or 'none'}, and it was trained on {len(classifier.pipeline_.trained_on)} "
            f"pictures and texts where train.csv has {len(keys)}"
        )
    metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    size = metrics["size"]["trained_megabytes"] + metrics["size"]["frozen_megabytes"]
    cost = {"seconds": sum(metrics["seconds"].values()), "megabytes": size}
    return classifier.evaluate(new), cost | lacking(classifier, new)


def lacking(classifier: Classifier, rows: list[Sample]) -> dict[str, float]:
    """Samples F1 where all rows, or every other one, lost their picture or their text."""
    found = {}
    for what in ("image", "text"):
        for share, step in (("every", 1), ("half", 2)):
            less = [replace(row, **{what: None}) if place % step == 0 else row for place, row in enumerate(rows)]
            found[f"{share} {what} missing"] = classifier.evaluate(less, rounds=1).metrics["samples_f1"].value
    return found


def summary(name: str, results: list[Result]) -> dict[str, Any]:
    """One row of the table."""
    scores = {key: [evaluation.metrics[key].value for evaluation, _ in results] for key in SHOWN}
    first = results[0][0].metrics["samples_f1"]
    return {
        "system": name,
        "seeds": len(results),
        **{key: round(float(np.mean(values)), 4) for key, values in scores.items()},
        **{f"{key}_spread": round(float(np.ptp(values)), 4) for key, values in scores.items()},
        "samples_f1_interval_of_first_seed": [round(first.low, 4), round(first.high, 4)],
        "seconds": [round(cost["seconds"], 1) for _, cost in results],
        "megabytes": round(results[0][1]["megabytes"], 1),
        **{
            key: round(float(np.mean([cost[key] for _, cost in results])), 4)
            for key in results[0][1]
            if "missing" in key
        },
    }


def show(rows: list[dict[str, Any]]) -> None:
    """The table as Markdown."""
    print("\n| | samples F1 | micro F1 | macro F1 | mAP | seconds | MB |\n|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [f"{row[key]:.3f} ± {row[key + '_spread'] / 2:.3f}" for key in SHOWN]
        print(f"| {row['system']} | {' | '.join(cells)} | {np.median(row['seconds']):.0f} | {row['megabytes']:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="../shared/data/comp5329", help="A folder, or openclipart.")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=list(SYSTEMS), metavar="NAME")
    parser.add_argument("--runs", nargs="+", type=Path, metavar="RUN", help="Runs of the preset that --only names.")
    parser.add_argument("--quick", action="store_true", help="Three systems, one seed, few rows.")
    parser.add_argument("--again", action="store_true", help="Measure what is in the output file anew, too.")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.runs and (len(given.only or ()) != 1 or given.only[0] not in PRESETS):
        parser.error("--runs are of one preset: --only 'preset NAME' says which")
    data, names, seeds = Path(given.data), ("train.csv", "valid.csv"), range(given.seeds)
    chosen = given.only or [name for name in SYSTEMS if name not in SLOW]
    if given.quick or given.data == "openclipart" or not data.is_dir():
        data, names = bundled_path("openclipart"), ("train.csv", "test.csv")
    if given.quick:
        seeds, chosen = range(1), [BASELINE, "multitag", "preset fast"]
    suffix = "-quick" if given.quick else "" if data.name == "comp5329" else f"-{data.name}"
    given.out = given.out or Path(__file__).with_name(f"accuracy{suffix}.json")
    train, test = (read_table(data / name, images=data / "images").samples for name in names)
    if given.quick:
        train, test = train[:QUICK_ROWS], test[: QUICK_ROWS // 2]
    before = json.loads(given.out.read_text("utf-8")) if given.out.is_file() else {"data": "", "rows": []}
    rows = {row["system"]: row for row in before["rows"]} if before["data"] == data.name else {}
    for name in chosen:
        options = SYSTEMS[name]
        wanted = 1 if options is None else len(seeds)
        if name in rows and rows[name]["seeds"] >= wanted and not given.again and not given.quick and not given.runs:
            continue
        if given.runs:
            results = [of_run(folder, name.removeprefix("preset "), train, test) for folder in given.runs]
        elif options is None:
            results = [tfidf(train, test)]
        else:
            fewer = {"changes": QUICK_CHANGES} if given.quick else {}
            results = [ours(train, test, seed, both=name in BOTH, **options, **fewer) for seed in seeds]
        rows[name] = summary(name, results)
        print(json.dumps(rows[name]), flush=True)
        whole = {"data": data.name, "rows": [rows[name] for name in SYSTEMS if name in rows]}
        given.out.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")
    show([rows[name] for name in SYSTEMS if name in rows])


if __name__ == "__main__":
    main()

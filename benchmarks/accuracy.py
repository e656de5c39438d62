"""The accuracy table of the README: multitag and plain baselines on the same rows, three seeds.

    python benchmarks/accuracy.py [--data ../shared/data/comp5329] [--seeds 3] [--quick]

Trained on train.csv, scored on valid.csv, which nothing is tuned on. Writes benchmarks/accuracy.json.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from multitag import Classifier
from multitag.data.bundled import bundled_path
from multitag.data.table import read_table
from multitag.evaluation import Evaluation, evaluate
from multitag.recipes import configure
from multitag.types import LabelSpace, Predictions

SHOWN = ("samples_f1", "micro_f1", "macro_f1", "map")


def tfidf(train: Path, test: Path, images: Path) -> tuple[Evaluation, float]:
    """scikit-learn as a careful user writes it: C = 10, the best label where none passes."""
    rows, new = read_table(train, images=images).samples, read_table(test, images=images).samples
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
    predictions = Predictions(tuple(row.id for row in new), space, chosen, probabilities)
    return evaluate(predictions, new), seconds


def ours(train: Path, test: Path, images: Path, seed: int, **options: object) -> tuple[Evaluation, float]:
    """multitag's default, or the configuration that the options make."""
    started = time.monotonic()
    classifier = Classifier(configure(seed=seed, **options)).fit(train, images=images)  # type: ignore[arg-type]
    seconds = time.monotonic() - started
    return classifier.evaluate(test, images=images), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/comp5329"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="The bundled data and one seed.")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("accuracy.json"))
    given = parser.parse_args()
    data, names, seeds = given.data, ("train.csv", "valid.csv"), range(given.seeds)
    if given.quick or not data.is_dir():
        data, names, seeds = bundled_path("openclipart"), ("train.csv", "test.csv"), range(1)
    train, test, images = data / names[0], data / names[1], data / "images"
    systems = {
        "TF-IDF + logistic regression (scikit-learn)": None,
        "multitag, texts alone": {"without": ["image"]},
        "multitag, pictures alone": {"without": ["text"]},
        "multitag": {},
    }
    table = []
    for name, options in systems.items():
        results = [tfidf(train, test, images)] if options is None else []
        results += [ours(train, test, images, seed, **options) for seed in seeds] if options is not None else []
        scores = {key: [evaluation.metrics[key].value for evaluation, _ in results] for key in SHOWN}
        first = results[0][0].metrics["samples_f1"]
        row = {
            "system": name,
            "seeds": len(results),
            **{key: round(float(np.mean(values)), 4) for key, values in scores.items()},
            **{f"{key}_spread": round(float(np.ptp(values)), 4) for key, values in scores.items()},
            "samples_f1_interval_of_first_seed": [round(first.low, 4), round(first.high, 4)],
            "seconds": [round(seconds, 1) for _, seconds in results],
        }
        table.append(row)
        print(json.dumps(row), flush=True)
    given.out.write_text(json.dumps({"data": data.name, "rows": table}, indent=1) + "\n", "utf-8")
    print("\n| | samples F1 | micro F1 | macro F1 | mAP | seconds |\n|---|---|---|---|---|---|")
    for row in table:
        cells = [f"{row[key]:.4f} ± {row[key + '_spread'] / 2:.4f}" for key in SHOWN]
        print(f"| {row['system']} | {' | '.join(cells)} | {', '.join(f'{s:.0f}' for s in row['seconds'])} |")


if __name__ == "__main__":
    main()

"""Metrics with bootstrap intervals."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, f1_score

from benchmarks.speed.deciding import made_up
from benchmarks.speed.measure import Figure, compare
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import bootstrap, resample_weights

ROUNDS = 1000
MEASURED = 5


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines."""
    rows = 1_000 if quick else 30_000
    probabilities, gold = made_up(rows, 18)
    predicted = probabilities >= 0.5
    answers = Answers(gold, predicted, probabilities)
    names = ["samples_f1", "micro_f1", "macro_f1", "map"]
    weights = next(iter(resample_weights(rows, MEASURED, 0)))

    def by_hand() -> None:
        for drawn in weights:
            index = np.repeat(np.arange(rows), drawn.astype(int))
            truth, said, sure = gold[index], predicted[index], probabilities[index]
            for average in ("samples", "micro", "macro"):
                f1_score(truth, said, average=average, zero_division=0)
            average_precision_score(truth, sure, average="macro")

    return [
        compare(
            f"three F1s and mAP with {ROUNDS:,} bootstrap rounds, {rows:,} x 18",
            lambda: bootstrap(answers, names, rounds=ROUNDS),
            by_hand,
            beside_name="scikit-learn in a loop",
            at_least=50.0,
            runs=runs,
            scale=ROUNDS / MEASURED,
            note=f"the loop is timed over {MEASURED} rounds; equal to 1e-12 in the tests",
        )
    ]

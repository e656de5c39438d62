"""Thresholds and expected-F1 sets."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from benchmarks.speed.measure import Figure, compare, within
from multitag.decisions import DECISIONS


def made_up(rows: int, labels: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Calibrated probabilities (N, K) and gold labels drawn from them, two or so a row."""
    generator = np.random.default_rng(seed)
    common = np.geomspace(0.3, 0.01, labels)
    logits = np.log(common / (1 - common)) + 2 * generator.standard_normal((rows, labels), dtype=np.float32)
    probabilities = (1 / (1 + np.exp(-logits))).astype(np.float32)
    gold = (generator.random((rows, labels), dtype=np.float32) < probabilities).astype(np.float32)
    return probabilities, gold


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines."""
    size = 100 if quick else 1
    found = []
    probabilities, gold = made_up(1_000_000 // size, 100)
    options = {"metric": "macro_f1", "min_positives": 1, "shrinkage": 0.0}

    def exact() -> None:
        DECISIONS.build("per_label", options).fit(probabilities, gold)

    found.append(
        within(
            f"per-label thresholds, exact optimum, {len(gold):,} x 100",
            exact,
            seconds=8.0,
            runs=runs,
            note="macro F1, one sort a label",
        )
    )
    rows, labels = len(gold) // 20, 5

    def grid() -> None:
        for label in range(labels):
            for cut in np.linspace(0.05, 0.95, 19):
                f1_score(gold[:rows, label], probabilities[:rows, label] >= cut)

    found.append(
        compare(
            "the same",
            exact,
            grid,
            beside_name="scikit-learn's f1_score over a grid of 19 cuts",
            at_least=1.0,
            runs=runs,
            scale=20 * 100 / labels,
            note="the loop is timed on a twentieth of the rows and 5 labels, and misses the optimum between its cuts",
        )
    )
    probabilities, gold = made_up(1_000_000 // size, 18)
    decision = DECISIONS.build("expected_f1", {}).fit(probabilities[:1000], gold[:1000])
    found.append(
        within(
            f"expected-F1 sets, {len(gold):,} x 18",
            lambda: decision.apply(probabilities),
            seconds=20.0,
            runs=runs,
            note="equal to the slow definition in the tests",
        )
    )
    return found

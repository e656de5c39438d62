"""Evaluations: scikit-learn's numbers on the same predictions, strict JSON, and labels the model does not know."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, precision_score, recall_score

from multitag.evaluation import evaluate
from multitag.types import LabelSpace, Predictions, Sample

NAMES = ("a", "b", "c")


def predictions(rows: int, seed: int = 0) -> tuple[Predictions, list[Sample], np.ndarray]:
    rng = np.random.default_rng(seed)
    gold = rng.random((rows, 3)) < 0.4
    gold[0] = True
    probabilities = np.clip(0.6 * gold + 0.4 * rng.random((rows, 3)), 0, 1)
    space = LabelSpace(NAMES)
    samples = [Sample(f"r{n}", text="x", labels=space.decode(gold[n : n + 1])[0]) for n in range(rows)]
    made = Predictions(tuple(s.id for s in samples), space, probabilities >= 0.5, probabilities)
    return made, samples, gold


@pytest.mark.parametrize("average", ["samples", "micro", "macro", "weighted"])
def test_f1_precision_and_recall_are_scikit_learns(average: str) -> None:
    made, samples, gold = predictions(60)
    found = evaluate(made, samples, rounds=20).metrics
    for name, function in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        key = f"{average}_{name}"
        if key in found:
            expected = function(gold, made.values, average=average, zero_division=1)
            assert found[key].value == pytest.approx(expected), key


def test_ranking_and_reliability_are_scikit_learns() -> None:
    made, samples, gold = predictions(60)
    found = evaluate(made, samples, rounds=20).metrics
    assert found["map"].value == pytest.approx(average_precision_score(gold, made.probabilities, average="macro"))
    expected = np.mean([brier_score_loss(gold[:, k], made.probabilities[:, k]) for k in range(3)])
    assert found["brier"].value == pytest.approx(expected)
    assert found["subset_accuracy"].value == pytest.approx((gold == made.values).all(1).mean())
    for interval in found.values():
        assert interval.low <= interval.value <= interval.high or interval.value == pytest.approx(
            interval.low, abs=0.05
        )


def test_a_label_table_counts_by_hand() -> None:
    made, samples, gold = predictions(30)
    for k, line in enumerate(evaluate(made, samples, rounds=5).labels):
        assert line.label == NAMES[k]
        assert line.support == gold[:, k].sum()
        assert line.predicted == made.values[:, k].sum()
        assert line.true_positives == (gold & made.values)[:, k].sum()


def test_unknown_cells_and_unlabelled_rows_are_not_there() -> None:
    made, samples, gold = predictions(40)
    dropped = [Sample(s.id, text="x", labels=None) if n % 4 == 0 else s for n, s in enumerate(samples)]
    kept = [n for n in range(40) if n % 4]
    result = evaluate(made, dropped, rounds=5)
    assert result.rows == 30
    part = Predictions(tuple(made.ids[n] for n in kept), made.space, made.values[kept], made.probabilities[kept])
    alone = evaluate(part, [samples[n] for n in kept], rounds=5)
    assert {k: v.value for k, v in result.metrics.items()} == pytest.approx(
        {k: v.value for k, v in alone.metrics.items()}
    )
    assert result.labels == alone.labels
    assert result.empty == alone.empty
    # A cell that is not known: wrong or right, its prediction counts for nothing.
    name = NAMES[0]
    unsure = [
        Sample(s.id, text="x", labels=tuple(label for label in s.labels or () if label != name), unknown=(name,))
        for s in samples
    ]
    line = evaluate(made, unsure, rounds=5).labels[0]
    assert (line.support, line.predicted, line.true_positives) == (0, 0, 0)
    expected = f1_score(gold[:, 1:], made.values[:, 1:], average="micro")
    assert evaluate(made, unsure, rounds=5).metrics["micro_f1"].value == pytest.approx(expected)


def test_labels_the_model_does_not_know_are_missed_where_a_row_has_them() -> None:
    made, samples, gold = predictions(20)
    more = [
        Sample(s.id, text="x", labels=(*(s.labels or ()), "new") if n < 5 else s.labels) for n, s in enumerate(samples)
    ]
    result = evaluate(made, more, rounds=5)
    wide = np.hstack([gold, (np.arange(20) < 5)[:, None]])
    said = np.hstack([made.values, np.zeros((20, 1), bool)])
    assert result.unseen == ("new",)
    for average in ("samples", "micro", "macro"):
        expected = f1_score(wide, said, average=average, zero_division=1)
        assert result.metrics[f"{average}_f1"].value == pytest.approx(expected)


def test_a_label_that_no_row_has_cannot_be_missed_nor_flatter() -> None:
    made, samples, _ = predictions(20)
    unsure = [Sample(s.id, text="x", labels=s.labels, unknown=("stranger",)) for s in samples]
    result = evaluate(made, unsure, rounds=5)
    assert result.unseen == ()
    assert result == evaluate(made, samples, rounds=5)


def test_empty_predictions_are_counted() -> None:
    made, samples, _ = predictions(20)
    values = made.values.copy()
    values[:7] = False
    values[7:, 0] = True
    result = evaluate(Predictions(made.ids, made.space, values, made.probabilities), samples, rounds=5)
    assert result.empty == 7


def test_the_dictionary_is_strict_json_even_where_a_score_is_not_defined() -> None:
    space = LabelSpace(NAMES)
    samples = [Sample(f"r{n}", text="x", labels=()) for n in range(4)]
    made = Predictions(tuple(s.id for s in samples), space, np.zeros((4, 3), bool), np.full((4, 3), 0.1))
    values = evaluate(made, samples, rounds=5).to_dict()
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text) == values
    assert values["labels"][0]["average_precision"] is None
    everything_unknown = [Sample(s.id, text="x", labels=None) for s in samples]
    json.dumps(evaluate(made, everything_unknown, rounds=5).to_dict(), allow_nan=False)


def test_the_same_seed_gives_the_same_intervals() -> None:
    made, samples, _ = predictions(30)
    assert evaluate(made, samples, rounds=50, seed=3) == evaluate(made, samples, rounds=50, seed=3)
    assert evaluate(made, samples, rounds=50, seed=3) != evaluate(made, samples, rounds=50, seed=4)

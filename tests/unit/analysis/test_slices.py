"""Parts of the rows: which rows are in which, and their scores."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.analysis.label_intervals import label_f1_intervals
from multitag.analysis.slices import Slice, slices
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import resample_weights
from multitag.metrics.per_label import per_label
from multitag.types import Sample

SAMPLES = [
    Sample("0", text="one", image=b"x", labels=("a",)),
    Sample("1", text="one two three", labels=("a", "b")),
    Sample("2", image=b"x", labels=()),
    Sample("3", labels=None, text="one two three four five six seven eight"),
    Sample("4", text="one two", labels=("b",)),
    Sample("5", text="  ", image=b"x", labels=("a",)),
]
GOLD = np.array([[1, 0], [1, 1], [0, 0], [np.nan, np.nan], [0, 1], [1, 0]], np.float32)
SAID = np.array([[1, 0], [1, 0], [0, 0], [1, 1], [1, 0], [0, 0]], bool)
ANSWERS = Answers(GOLD, SAID, np.where(SAID, 0.75, 0.25))


def by(samples: list[Sample], what: str) -> dict[str, Slice]:
    return {part.name: part for part in slices(samples, ANSWERS, rounds=20) if part.by == what}


def test_rows_by_number_of_labels() -> None:
    found = by(SAMPLES, "labels per row")
    assert {name: part.rows for name, part in found.items()} == {"0": 1, "1": 3, "2": 1}
    assert found["1"].metrics["samples_f1"].value == pytest.approx(1 / 3)
    assert found["1"].metrics["subset_accuracy"].value == pytest.approx(1 / 3)
    assert found["2"].metrics["samples_f1"].value == pytest.approx(2 / 3)
    assert found["0"].metrics["micro_f1"].value == 1


def test_rows_by_what_they_have() -> None:
    found = by(SAMPLES, "what a row has")
    assert {name: part.rows for name, part in found.items()} == {
        "picture and text": 1,
        "picture only": 2,
        "text only": 2,
    }
    assert found["picture only"].metrics["samples_f1"].value == pytest.approx(0.5)


def test_rows_by_length_of_text() -> None:
    found = by(SAMPLES, "words per text")
    assert {name: part.rows for name, part in found.items()} == {"1": 1, "2": 1, "3": 1}
    for part in found.values():
        interval = part.metrics["micro_f1"]
        assert interval.low <= interval.value <= interval.high


def test_rows_by_group_the_largest_first() -> None:
    grouped = [Sample(s.id, text="t", labels=s.labels, group=group) for s, group in zip(SAMPLES, "yxxxyy", strict=True)]
    parts = [part for part in slices(grouped, ANSWERS, rounds=5) if part.by == "group"]
    assert [(part.name, part.rows) for part in parts] == [("y", 3), ("x", 2)]
    many = [Sample(str(n), text="t", labels=("a",), group=f"g{n // 2 if n < 50 else n}") for n in range(60)]
    answers = Answers(np.ones((60, 1)), np.ones((60, 1), bool), np.ones((60, 1)))
    parts = [part for part in slices(many, answers, rounds=5) if part.by == "group"]
    assert len(parts) == 21
    assert (parts[-1].name, parts[-1].rows, sum(part.rows for part in parts)) == ("all other groups", 20, 60)


def test_what_parts_nothing_is_left_out() -> None:
    same = [Sample(str(n), text="two words", labels=("a",)) for n in range(6)]
    answers = Answers(np.ones((6, 1)), np.ones((6, 1), bool), np.ones((6, 1)))
    assert slices(same, answers, rounds=5) == []


def test_a_slice_is_scored_as_the_whole_would_be() -> None:
    for name, part in by(SAMPLES, "what a row has").items():
        rows = {"picture and text": [0], "picture only": [2, 5], "text only": [1, 4]}[name]
        alone = Answers(GOLD[rows], SAID[rows], np.where(SAID, 0.75, 0.25)[rows])
        for metric, interval in part.metrics.items():
            assert interval.value == pytest.approx(METRICS.get(metric)(alone)), metric


def test_label_intervals_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    gold = (rng.random((50, 3)) < 0.4).astype(np.float32)
    gold[rng.random((50, 3)) < 0.1] = np.nan
    answers = Answers(gold, rng.random((50, 3)) < 0.5)
    found = label_f1_intervals(answers, rounds=40, seed=7)
    lines = per_label(answers, list("abc"))
    assert [interval.value for interval in found] == pytest.approx([line.f1 for line in lines])
    rounds = []
    for weights in np.concatenate(list(resample_weights(50, 40, 7))).astype(int):
        rows = np.repeat(np.arange(50), weights)
        rounds.append([line.f1 for line in per_label(Answers(gold[rows], answers.predicted[rows]), list("abc"))])
    low, high = np.quantile(rounds, [0.025, 0.975], axis=0)
    assert [interval.low for interval in found] == pytest.approx(low.tolist())
    assert [interval.high for interval in found] == pytest.approx(high.tolist())

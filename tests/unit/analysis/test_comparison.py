"""Two runs side by side: by hand, against the paired bootstrap, and over unlike label lists."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.analysis.comparison import LabelGap, aligned, compare
from multitag.errors import DataError
from multitag.evaluation import Scored, answers_of
from multitag.metrics import METRICS
from multitag.metrics.bootstrap import paired_bootstrap
from multitag.types import LabelSpace, Predictions, Sample

SAMPLES = [
    Sample("0", text="t", labels=("a",)),
    Sample("1", text="t", labels=("b",)),
    Sample("2", text="t", labels=("a", "b")),
    Sample("3", text="t", labels=()),
    Sample("4", text="t", labels=None),
]


def run(names: str, said: list[str], samples: list[Sample] = SAMPLES) -> Scored:
    space = LabelSpace(tuple(names))
    values = np.array([[name in row for name in names] for row in said])
    made = Predictions(tuple(s.id for s in samples), space, values, np.where(values, 0.9, 0.2))
    return answers_of(made, samples)


def test_by_hand() -> None:
    first, second = run("ab", ["a", "b", "b", "", "a"]), run("ab", ["b", "b", "ab", "a", ""])
    found = compare(first, second, rounds=50)
    assert (found.both, found.only_first, found.only_second, found.neither) == (1, 2, 1, 0)
    assert found.differing.tolist() == [0, 3, 2]  # the fifth row differs too, and nobody knows who is right
    assert found.gaps.tolist() == pytest.approx([1, 1, 2 / 3 - 1])
    assert found.labels == [
        LabelGap("a", 2, first=pytest.approx(2 / 3), second=pytest.approx(0.5)),
        LabelGap("b", 2, first=1.0, second=pytest.approx(0.8)),
    ]


def test_differences_are_the_paired_bootstraps() -> None:
    first, second = run("ab", ["a", "b", "b", "", "a"]), run("ab", ["b", "b", "ab", "a", ""])
    expected = paired_bootstrap(first.answers, second.answers, METRICS.names(), rounds=50, seed=3)
    assert compare(first, second, rounds=50, seed=3).differences == expected


def test_unlike_label_lists_are_brought_together() -> None:
    first, second = run("abc", ["ac", "b", "b", "", ""]), run("ba", ["b", "b", "ab", "a", ""])
    ours, theirs = aligned([first, second])
    assert ours.names == theirs.names == ("a", "b", "c")
    assert (ours.unseen, theirs.unseen) == ((), ("c",))
    assert ours is first
    assert theirs.answers.predicted.tolist() == [
        [False, True, False],
        [False, True, False],
        [True, True, False],
        [True, False, False],
        [False, False, False],
    ]
    assert theirs.answers.same_gold(ours.answers)
    assert theirs.probabilities[:, 2].tolist() == [0] * 5
    found = compare(ours, theirs, rounds=5)
    assert [gap.label for gap in found.labels] == ["a", "b", "c"]
    assert found.labels[2].first == 0
    assert found.labels[2].second == 1


def test_a_label_that_one_run_never_saw_counts_as_missed_by_it() -> None:
    rows = [Sample("0", text="t", labels=("a", "z")), Sample("1", text="t", labels=("b",))]
    first, second = run("abz", ["az", "b"], rows), run("ab", ["a", "b"], rows)
    ours, theirs = aligned([first, second])
    assert theirs.unseen == ("z",)
    found = compare(ours, theirs, rounds=5)
    assert found.only_first == 1
    assert found.labels[2] == LabelGap("z", 1, 1.0, 0.0)


def test_other_rows_and_other_labels_are_refused() -> None:
    other = [*SAMPLES[:3], Sample("3", text="t", labels=("a",)), SAMPLES[4]]
    with pytest.raises(DataError, match="same rows"):
        aligned([run("ab", [""] * 5), run("ab", [""] * 5, other)])
    with pytest.raises(DataError, match="aligned"):
        compare(run("ab", [""] * 5), run("ba", [""] * 5))

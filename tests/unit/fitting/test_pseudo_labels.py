"""Labels from a teacher's probabilities, and how many there are."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.config import Config, PseudoConfig
from multitag.errors import ConfigError
from multitag.features.rows import Rows
from multitag.fitting.teachers.lessons import Taught
from multitag.fitting.teachers.pseudo_labels import PseudoCounts, pseudo_labelled, pseudo_targets
from multitag.types import LabelSpace, Sample

SPACE = LabelSpace(("a", "b", "c"))
PROBABILITIES = np.array([[0.9, 0.1, 0.5], [0.8999, 0.1001, 0.2], [1.0, 0.99, 0.0]])
NAN = float("nan")


def pool() -> Rows:
    return Rows([Sample(f"u{n}", text=f"text {n}") for n in range(3)], [None, "hash", None])


def test_high_is_yes_low_is_no_and_between_is_not_known() -> None:
    targets = pseudo_targets(PROBABILITIES, PseudoConfig())
    expected = [[1, 0, NAN], [NAN, NAN, NAN], [1, 1, 0]]
    np.testing.assert_array_equal(targets, expected)
    wide = pseudo_targets(PROBABILITIES, PseudoConfig(high=0.6, low=0.5))
    np.testing.assert_array_equal(wide, [[1, 0, 0], [1, 0, 0], [1, 1, 0]])


def test_rows_get_them_as_labels_and_a_row_without_any_is_left_out() -> None:
    rows = pseudo_labelled(pool(), pseudo_targets(PROBABILITIES, PseudoConfig()), SPACE)
    assert rows.samples == [
        Sample("u0", text="text 0", labels=("a",), unknown=("c",)),
        Sample("u2", text="text 2", labels=("a", "b")),
    ]
    assert rows.hashes == [None, None]
    np.testing.assert_array_equal(SPACE.encode(rows.samples), [[1, 0, NAN], [1, 1, 0]])


def test_they_are_counted_of_the_whole_pool() -> None:
    rows = pseudo_labelled(pool(), pseudo_targets(PROBABILITIES, PseudoConfig()), SPACE)
    counts = PseudoCounts.of([rows], SPACE, 3)
    assert counts.to_dict() == {
        "rows": 2,
        "labels": {
            "a": {"positive": 2, "negative": 0, "unknown": 1},
            "b": {"positive": 1, "negative": 1, "unknown": 1},
            "c": {"positive": 0, "negative": 1, "unknown": 2},
        },
    }


def test_of_several_folds_the_mean_is_counted() -> None:
    first = pseudo_labelled(pool(), pseudo_targets(PROBABILITIES, PseudoConfig()), SPACE)
    counts = PseudoCounts.of([first, first.take([0]), first.take([])], SPACE, 3)
    assert counts.rows == 1
    assert counts.positive == {"a": 1, "b": 0.3, "c": 0}
    assert counts.unknown == {"a": 2, "b": 2, "c": 2.7}


def test_a_row_that_was_taught_counts_its_weight() -> None:
    weights = Taught(pool(), 0.25).weights(2)
    assert weights is not None
    assert weights.tolist() == [1, 1, 0.25, 0.25, 0.25]
    assert Taught(pool(), 1.0).weights(2) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("pseudo.low=0.95", r"\[pseudo\] low = 0.95: it must be below high = 0.9"),
        ("pseudo.high=0.1", r"\[pseudo\] low = 0.1: it must be below high = 0.1"),
        ("pseudo.weight=2", r"\[pseudo\] weight = 2"),
        ("pseudo.rounds=0", r"\[pseudo\] rounds = 0"),
        ("pseudo.round=1", r"\[pseudo\] round: no such setting.*rounds"),
    ],
)
def test_a_setting_that_cannot_be_is_named(change: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Config().changed([change])


def test_a_loss_that_joins_rows_takes_pseudo_labels_at_full_weight_only() -> None:
    with pytest.raises(ConfigError, match=r"'two_way' joins the rows.*pseudo\.weight=1"):
        Config().changed(["loss.name=two_way", "pseudo.rounds=1"])
    for weight in (0, 1):
        assert Config().changed(["loss.name=two_way", f"pseudo.weight={weight}"]).pseudo is not None


def test_a_configuration_says_nothing_of_students_unless_there_are_any() -> None:
    assert "pseudo" not in Config().values()
    students = Config().with_students(wanted=True)
    assert students.values()["pseudo"] == {"high": 0.9, "low": 0.1, "weight": 0.5, "rounds": 1}
    own = Config().changed(["pseudo.weight=0.25"])
    assert own.with_students(wanted=True) is own
    with pytest.raises(ConfigError, match=r"\[pseudo\].*Fix: --unlabeled TABLE"):
        own.with_students(wanted=False)
    member = Config.parse({"ensemble": {"members": {"a": {}, "b": {"pseudo": {"weight": 0.25}}}}})
    with pytest.raises(ConfigError, match=r"\[pseudo\]"):
        member.with_students(wanted=False)
    weights = {
        name: each.pseudo.weight
        for name, each in member.with_students(wanted=True).members.items()
        if each and each.pseudo
    }
    assert weights == {"a": 0.5, "b": 0.25}

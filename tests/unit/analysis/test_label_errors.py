"""Suspected label errors: planted ones are found, rare labels and unknown cells are left alone."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from multitag.analysis.label_errors import label_errors
from multitag.errors import ConfigError
from multitag.metrics.answers import Answers

pytest.importorskip("cleanlab", reason="needs the extra 'report'")


def planted(rows: int = 400) -> tuple[Answers, np.ndarray]:
    """Answers that are mostly right, and the cells whose gold was turned round."""
    rng = np.random.default_rng(0)
    true = rng.random((rows, 3)) < 0.3
    true[:, 2] = False
    true[:2, 2] = True  # too rare to tell
    probabilities = np.where(true, rng.beta(9, 2, (rows, 3)), rng.beta(2, 9, (rows, 3)))
    wrong = np.zeros_like(true)
    for k in (0, 1):
        wrong[rng.choice(np.flatnonzero(true[:, k]), 6, replace=False), k] = True
        wrong[rng.choice(np.flatnonzero(~true[:, k]), 9, replace=False), k] = True
    gold = (true ^ wrong).astype(np.float32)
    return Answers(gold, probabilities > 0.5, probabilities), wrong


def test_planted_errors_are_found() -> None:
    answers, wrong = planted()
    found = label_errors(answers, ("a", "b", "rare"))
    cells = {(error.row, "ab".index(error.label)) for error in found.found}
    planted_cells = set(zip(*map(np.ndarray.tolist, np.nonzero(wrong)), strict=True))
    assert len(cells & planted_cells) >= 24  # of 30
    assert len(cells - planted_cells) <= 6
    for error in found.found:
        k = "ab".index(error.label)
        assert error.given == (answers.gold[error.row, k] == 1)
        assert error.probability == np.asarray(answers.probabilities)[error.row, k]
        assert error.quality == pytest.approx(error.probability if error.given else 1 - error.probability)
    assert [error.quality for error in found.found] == sorted(error.quality for error in found.found)
    assert found.wrongly_given == {
        name: sum(error.given for error in found.found if error.label == name) for name in "ab"
    }
    assert found.wrongly_lacking == {
        name: sum(not error.given for error in found.found if error.label == name) for name in "ab"
    }
    assert found.untold == ("rare",)


def test_unknown_cells_are_not_suspected() -> None:
    answers, wrong = planted()
    gold = answers.gold.copy()
    gold[wrong] = np.nan
    found = label_errors(Answers(gold, answers.predicted, answers.probabilities), ("a", "b", "rare"))
    assert all(not wrong[error.row, "ab".index(error.label)] for error in found.found)
    assert len(found.found) < 8


def test_a_label_never_seen_in_training_says_nothing() -> None:
    answers, _ = planted()
    probabilities = np.asarray(answers.probabilities).copy()
    probabilities[:, 0] = 0
    assert "a" in label_errors(Answers(answers.gold, answers.predicted, probabilities), ("a", "b", "rare")).untold


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(ConfigError, match=r"multitag\[report\]"):
        label_errors(planted()[0], ("a", "b", "rare"))

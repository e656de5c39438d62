"""What the training loop monitors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from multitag.losses.bce import BCE
from multitag.metrics import METRICS
from multitag.tasks.labels import LabelTask
from multitag.types import LabelSpace, Sample

TASK = LabelTask(LabelSpace(("a", "b")))
LOGITS = np.array([[4.0, -4.0], [-1.0, 2.0], [-3.0, -3.0]], np.float32)
GOLD = np.array([[1, 0], [0, 1], [np.nan, 0]], np.float32)


def test_targets_are_the_spaces():
    assert TASK.targets([Sample("1", labels=("b",))]).tolist() == [[0.0, 1.0]]


def test_the_loss_is_the_one_that_is_trained_negated():
    expected = BCE()(torch.from_numpy(LOGITS), torch.from_numpy(GOLD)).item()
    assert TASK.score(LOGITS, GOLD, "loss") == pytest.approx(-expected, rel=1e-6)
    huge = np.full((1, 2), 1e30, np.float32)
    assert np.isfinite(TASK.score(huge, np.zeros((1, 2), np.float32), "loss"))


@pytest.mark.parametrize("monitor", METRICS.names())
def test_better_answers_score_higher_under_every_metric(monitor):
    wrong = np.array([[-4.0, 4.0], [1.0, -2.0], [3.0, 3.0]], np.float32)
    better, worse = TASK.score(8 * LOGITS, GOLD, monitor), TASK.score(8 * wrong, GOLD, monitor)
    # The threshold is the one with the best F1: for wrong answers that may be to take every label.
    assert better >= worse if "recall" in monitor else better > worse


@pytest.mark.parametrize("monitor", ["samples_f1", "micro_f1", "macro_f1", "map"])
def test_a_perfect_ranking_is_perfect_wherever_its_threshold(monitor):
    gold = np.array([[1, 0], [0, 1], [1, 1]], np.float32)
    assert TASK.score(0.1 * gold - 5, gold, monitor) == pytest.approx(1.0)


def test_the_calibrated_loss_does_not_see_the_scale_of_the_logits():
    generator = np.random.default_rng(0)
    truth = generator.normal(0, 2, (400, 3))
    targets = (generator.random((400, 3)) < 1 / (1 + np.exp(-truth))).astype(np.float32)
    targets[0, 0] = np.nan
    task = LabelTask(LabelSpace(("a", "b", "c")))
    scores = [task.score((truth * scale).astype(np.float32), targets, "calibrated_loss") for scale in (0.3, 1, 3)]
    assert scores == pytest.approx([scores[0]] * 3, rel=1e-3)
    assert scores[0] == pytest.approx(task.score(truth.astype(np.float32), targets, "loss"), rel=1e-2)
    assert task.score((truth * 3).astype(np.float32), targets, "loss") < 1.3 * scores[0]
    assert np.isnan(task.score(np.full((400, 3), np.nan, np.float32), targets, "calibrated_loss"))

"""What holds for every registered calibration."""

import json

import numpy as np
import pytest

from multitag.decisions import CALIBRATIONS
from multitag.errors import DataError, NotFittedError, RunError

pytestmark = pytest.mark.parametrize("name", CALIBRATIONS.names())


def random_data(seed=0, rows=300, labels=4):
    """Logits that are too sure by half, and labels."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-1, 1.5, (rows, labels))
    gold = (rng.random((rows, labels)) < 1 / (1 + np.exp(-true))).astype(float)
    gold[rng.random(gold.shape) < 0.1] = np.nan
    return 1.5 * true + [0, 1, -1, 0], gold


def cross_entropy(probs, gold):
    known = ~np.isnan(gold)
    p, y = probs[known], gold[known]
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def test_gives_probabilities(name):
    logits, gold = random_data()
    calibration = CALIBRATIONS.build(name, {})
    assert calibration.fit(logits, gold) is calibration
    probs = calibration.apply(logits)
    assert probs.shape == logits.shape
    assert probs.dtype == np.float64
    assert ((probs > 0) & (probs < 1)).all()
    assert CALIBRATIONS.summary(name).endswith(".")


def test_fits_no_worse_than_the_logits_as_they_are(name):
    logits, gold = random_data()
    plain = cross_entropy(1 / (1 + np.exp(-logits)), gold)
    fitted = cross_entropy(CALIBRATIONS.build(name, {}).fit(logits, gold).apply(logits), gold)
    if name == "none":
        assert fitted == pytest.approx(plain, abs=1e-12)
    else:
        assert fitted < plain - 0.005


def test_before_fit_it_says_so(name):
    calibration = CALIBRATIONS.build(name, {})
    if name == "none":
        assert calibration.apply(np.zeros((1, 2))).tolist() == [[0.5, 0.5]]
        return
    for call in (lambda: calibration.apply(np.zeros((1, 2))), calibration.state):
        with pytest.raises(NotFittedError, match=r"not fitted. Fix: call fit"):
            call()


def test_state_survives_json_exactly(name):
    logits, gold = random_data()
    calibration = CALIBRATIONS.build(name, {}).fit(logits, gold)
    state = json.loads(json.dumps(calibration.state(), allow_nan=False))
    again = CALIBRATIONS.build(name, {}).load_state(state)
    assert np.array_equal(again.apply(logits), calibration.apply(logits))
    if calibration.state():
        with pytest.raises(RunError, match=r"lacks '\w+'"):
            CALIBRATIONS.build(name, {}).load_state({"colour": "red"})


def test_rises_with_the_logit(name):
    logits, gold = random_data()
    line = np.linspace(-8, 8, 50)[:, None] * np.ones((1, 4))
    for truth in (gold, 1 - gold):
        probs = CALIBRATIONS.build(name, {}).fit(logits, truth).apply(line)
        assert (np.diff(probs, axis=0) > 0).all()


def test_batch_size_and_order_change_nothing(name):
    logits, gold = random_data()
    rng = np.random.default_rng(0)
    rows, labels = rng.permutation(300), rng.permutation(4)
    calibration = CALIBRATIONS.build(name, {}).fit(logits, gold)
    whole = calibration.apply(logits)
    assert np.array_equal(np.concatenate([calibration.apply(row[None]) for row in logits]), whole)
    moved = CALIBRATIONS.build(name, {}).fit(logits[rows][:, labels], gold[rows][:, labels])
    assert np.allclose(moved.apply(logits[:, labels]), whole[:, labels], rtol=0, atol=1e-9)


def test_unknown_cells_are_as_if_not_there(name):
    logits, gold = random_data(labels=4)
    logits, gold = logits[:, :1], gold[:, :1]
    there = ~np.isnan(gold[:, 0])
    assert 0 < there.sum() < 300
    masked = CALIBRATIONS.build(name, {}).fit(logits, gold)
    dropped = CALIBRATIONS.build(name, {}).fit(logits[there], gold[there])
    assert np.allclose(masked.apply(logits), dropped.apply(logits), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("logits", "gold"),
    [
        (np.linspace(-1, 1, 6)[:, None] * np.ones((1, 3)), np.zeros((6, 3))),
        (np.linspace(-1, 1, 6)[:, None] * np.ones((1, 3)), np.ones((6, 3))),
        (np.zeros((6, 3)), np.eye(6, 3)),
        (np.full((6, 3), -1e4), np.eye(6, 3)),
        (np.array([[3.0]]), np.array([[0.0]])),
        (np.array([[-4.0], [-2], [2], [4]]), np.array([[0.0], [0], [1], [1]])),
        (np.array([[1.0, -1.0]]), np.array([[1.0, np.nan]])),
    ],
    ids=["no labels", "all labels", "zeros", "extreme", "one cell", "separable", "unknown label"],
)
def test_poor_data_work(name, logits, gold):
    with np.errstate(all="raise", under="ignore"):
        calibration = CALIBRATIONS.build(name, {}).fit(logits, gold)
        probs = calibration.apply(logits)
        ends = calibration.apply(np.full((1, logits.shape[1]), 1e4))
    assert np.isfinite(probs).all()
    assert ((probs >= 0) & (probs <= 1)).all()
    assert (ends > 0.5).all()


@pytest.mark.parametrize(
    ("logits", "gold", "words"),
    [
        (np.array([[0.5, np.nan]]), np.zeros((1, 2)), r"1 of 2 are, the first at row 0, label 1"),
        (np.zeros(2), np.zeros(2), r"shape \(rows, labels\); got \(2,\)"),
        (np.zeros((1, 2)), np.zeros((2, 1)), r"gold labels have the shape \(2, 1\)"),
        (np.zeros((1, 2)), np.array([[0.0, 0.5]]), r"gold\[0, 1\] is 0.5"),
        (np.zeros((1, 2)), np.full((1, 2), np.nan), r"not one known gold label"),
    ],
)
def test_bad_data_are_named(name, logits, gold, words):
    with pytest.raises(DataError, match=words):
        CALIBRATIONS.build(name, {}).fit(logits, gold)

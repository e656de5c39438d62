"""Calibrations against general optimisers and against what must come out."""

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from multitag.decisions import CALIBRATIONS
from multitag.decisions.calibration import sigmoid
from multitag.decisions.platt import PlattScaling
from multitag.decisions.temperature import Temperature
from multitag.errors import ConfigError, DataError


def made_logits(seed=0, rows=4000, labels=3, temperature=2.0, offsets=0.0):
    """Logits `temperature` times too sure, then moved by `offsets`, and labels drawn from the truth."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-1, 2, (rows, labels))
    gold = (rng.random((rows, labels)) < sigmoid(true)).astype(float)
    return true * temperature - offsets, gold


def loss(z, y):
    return np.nansum(np.logaddexp(0, z) - y * z)


def test_temperature_finds_how_much_too_sure_the_logits_are():
    logits, gold = made_logits()
    assert Temperature().fit(logits, gold).temperature_ == pytest.approx(2, rel=0.05)
    assert Temperature().fit(logits / 6, gold).temperature_ == pytest.approx(1 / 3, rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_temperature_is_the_minimum(seed):
    logits, gold = made_logits(seed, rows=60)
    gold[:5, 0] = np.nan
    found = minimize_scalar(lambda t: loss(logits / t, gold), bounds=(0.05, 20), options={"xatol": 1e-10})
    assert Temperature().fit(logits, gold).temperature_ == pytest.approx(found.x, rel=1e-5)


def test_temperature_stays_within_bounds():
    logits = np.array([[-3.0], [-1.0], [2.0], [4.0]])
    sure = Temperature().fit(logits, (logits > 0).astype(float)).temperature_
    wrong = Temperature().fit(logits, (logits < 0).astype(float)).temperature_
    assert sure == pytest.approx(0.05, rel=1e-6)
    assert wrong == pytest.approx(20, rel=1e-6)
    assert Temperature().fit(np.zeros((3, 1)), np.ones((3, 1))).temperature_ == 1


def test_platt_finds_each_labels_slope_and_offset():
    logits, gold = made_logits(rows=40_000, offsets=np.array([0.0, 2.0, -3.0]))
    fitted = PlattScaling().fit(logits, gold)
    assert np.allclose(fitted.slopes_, 0.5, atol=0.03)
    assert np.allclose(fitted.offsets_, [0, 1, -1.5], atol=0.08)


@pytest.mark.parametrize("shrinkage", [0.1, 10.0])
def test_platt_is_the_minimum_of_the_penalised_loss(shrinkage):
    logits, gold = made_logits(rows=80, offsets=np.array([0.0, 2.0, -3.0]))
    gold[:6, 1] = np.nan
    common = 1 / Temperature().fit(logits, gold).temperature_
    fitted = PlattScaling(shrinkage=shrinkage).fit(logits, gold)
    for k in range(3):
        u, y = common * logits[:, k], gold[:, k]

        def penalised(x, u=u, y=y):
            return loss(x[0] * u + x[1], y) + shrinkage / 2 * ((x[0] - 1) ** 2 + x[1] ** 2)

        best = minimize(penalised, [1.0, 0.0], tol=1e-12).x
        assert fitted.slopes_[k] / common == pytest.approx(best[0], abs=1e-4)
        assert fitted.offsets_[k] == pytest.approx(best[1], abs=1e-4)


def test_platt_finds_the_minimum_from_afar_where_full_newton_steps_overshoot():
    rng = np.random.default_rng(0)
    logits = np.stack([rng.normal(-12, 1, 5000), rng.normal(size=5000)], axis=1)
    gold = (rng.random((5000, 2)) < sigmoid([2, 1] * logits + [24, 0])).astype(float)
    gold[60:, 0] = np.nan
    common = 1 / Temperature().fit(logits, gold).temperature_
    fitted = PlattScaling(shrinkage=0.01).fit(logits, gold)
    for k in range(2):
        u, y = common * logits[:, k], gold[:, k]

        def penalised(x, u=u, y=y):
            return loss(x[0] * u + x[1], y) + 0.005 * ((x[0] - 1) ** 2 + x[1] ** 2)

        best = minimize(penalised, [1.0, 0.0], method="Nelder-Mead", options={"fatol": 1e-12, "maxiter": 9999})
        assert fitted.slopes_[k] > 0.1 * common
        assert penalised([fitted.slopes_[k] / common, fitted.offsets_[k]]) <= best.fun + 1e-6


def test_platt_draws_labels_with_few_rows_to_the_common_temperature():
    logits, gold = made_logits(rows=4000, offsets=np.array([0.0, 0.0, 3.0]))
    few = gold.copy()
    few[10:, 2] = np.nan
    many = PlattScaling().fit(logits, gold)
    fitted = PlattScaling().fit(logits, few)
    common = 1 / Temperature().fit(logits, few).temperature_
    assert abs(fitted.offsets_[2]) < 0.5 * abs(many.offsets_[2])
    assert abs(fitted.slopes_[2] - common) < 0.5 * common
    nearer = PlattScaling(shrinkage=1e6).fit(logits, gold)
    assert np.allclose(nearer.slopes_, 1 / Temperature().fit(logits, gold).temperature_, rtol=1e-2)
    assert np.allclose(nearer.offsets_, 0, atol=1e-2)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_platt_does_not_run_away_on_separable_rows(scale):
    logits = scale * np.linspace(-1, 1, 40)[:, None] * np.ones((1, 2))
    gold = (logits > 0).astype(float)
    gold[:, 1] = 0
    fitted = PlattScaling(shrinkage=0.1).fit(logits, gold)
    assert np.isfinite(fitted.slopes_).all()
    assert np.isfinite(fitted.offsets_).all()
    assert np.abs(fitted.offsets_).max() < 30
    assert ((fitted.apply(logits) > 0.5)[:, 0] == (gold[:, 0] == 1)).all()


def test_platt_never_turns_a_ranking_round():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2000, 2))
    gold = (rng.random((2000, 2)) < sigmoid(logits * [3, -3])).astype(float)
    fitted = PlattScaling(shrinkage=0.1).fit(logits, gold)
    assert (fitted.slopes_ > 0).all()
    assert fitted.apply(logits)[:, 1].mean() == pytest.approx(gold[:, 1].mean(), abs=0.01)


def test_sigmoid_at_the_ends():
    z = np.array([-np.inf, -1000.0, 0.0, 1000.0, np.inf])
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(z).tolist() == [0, 0, 0.5, 1, 1]
    assert sigmoid(np.array([-50.0]))[0] == pytest.approx(np.exp(-50.0), rel=1e-12)


def test_errors():
    with pytest.raises(ConfigError, match="'shrinkage' = 0"):
        PlattScaling(shrinkage=0)
    with pytest.raises(DataError, match="logits of 2 labels, but 3 were calibrated"):
        PlattScaling().fit(*made_logits(rows=10)).apply(np.zeros((1, 2)))


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_label_that_all_rows_have_or_none_stays_at_the_temperature(value):
    logits, gold = made_logits(rows=400, offsets=np.array([1.0, 0.0, 0.0]))
    gold[:, 1] = value
    common = 1 / Temperature().fit(logits, gold).temperature_
    fitted = PlattScaling().fit(logits, gold)
    assert fitted.slopes_[1] == pytest.approx(common, rel=1e-6)
    assert fitted.offsets_.tolist()[1:2] == [0.0]
    assert abs(fitted.offsets_[0]) > 0.05


@pytest.mark.parametrize("name", CALIBRATIONS.names())
def test_each_is_the_line_that_it_says(name):
    logits, gold = made_logits(temperature=1.5, offsets=np.array([0.5, -1.0, 2.0]))
    fitted = CALIBRATIONS.build(name, {}).fit(logits, gold)
    slopes, offsets = fitted.line(3)
    assert slopes.shape == offsets.shape == (3,)
    assert (slopes > 0).all()
    np.testing.assert_allclose(fitted.apply(logits), sigmoid(slopes * logits + offsets), rtol=1e-12)

"""Combiners against numbers worked out by hand and plain references."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from multitag.combiners import COMBINERS
from multitag.errors import ConfigError


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


def logit(p):
    return np.log(p) - np.log1p(-np.asarray(p))


def members(seed=0, rows=400, noise=(0.5, 3.0), labels=3):
    rng = np.random.default_rng(seed)
    true = rng.normal(-1, 2, (rows, labels))
    gold = (rng.random(true.shape) < sigmoid(true)).astype(float)
    return np.stack([true + spread * rng.normal(size=true.shape) for spread in noise]), gold


def test_mean_of_logits_and_of_probabilities():
    z = np.array([[[0.0, 4.0]], [[2.0, -2.0]]])
    gold = np.array([[1.0, 0.0]])
    assert COMBINERS.build("mean", {}, 2).fit(z, gold).apply(z).tolist() == [[1.0, 1.0]]
    of = COMBINERS.build("mean", {"of": "probabilities"}, 2).fit(z, gold).apply(z)
    assert np.allclose(sigmoid(of), (sigmoid(z[0]) + sigmoid(z[1])) / 2, rtol=0, atol=1e-15)


def test_given_weights():
    z = logit(np.array([[[0.2]], [[0.9]], [[0.5]]]))
    combiner = COMBINERS.build("lambda_weighted", {"weights": (0.5, 0.3, 0.2)}, 3).fit(z, np.ones((1, 1)))
    assert sigmoid(combiner.apply(z))[0, 0] == pytest.approx(0.5 * 0.2 + 0.3 * 0.9 + 0.2 * 0.5)


def test_a_member_of_weight_nought_is_not_there():
    z = np.array([[[0.3, -7.0]], [[-5.0, 1e9]]])
    combiner = COMBINERS.build("lambda_weighted", {"weights": (1.0, 0.0)}, 2).fit(z, np.ones((1, 2)))
    assert np.allclose(combiner.apply(z), z[0], rtol=0, atol=1e-12)


def test_far_logits_are_not_rounded_away():
    z = np.array([[[-700.0, 800.0]], [[-710.0, 790.0]]])
    joined = COMBINERS.build("lambda_weighted", {"weights": "equal"}, 2).fit(z, np.eye(1, 2)).apply(z)
    # (e^-700 + e^-710) / 2 = e^-700 (1 + e^-10) / 2, and the other end mirrored
    assert joined[0, 0] == pytest.approx(-700 - np.log(2) + np.log1p(np.exp(-10)))
    assert joined[0, 1] == pytest.approx(790 + np.log(2) - np.log1p(np.exp(-10)))


def test_fitted_weights_are_the_best_of_a_fine_grid():
    z, gold = members()

    def loss(share):
        p = share * sigmoid(z[0]) + (1 - share) * sigmoid(z[1])
        return -np.mean(gold * np.log(p) + (1 - gold) * np.log(1 - p))

    grid = np.linspace(0.001, 0.999, 999)
    best = grid[np.argmin([loss(share) for share in grid])]
    found = COMBINERS.build("lambda_weighted", {}, 2).fit(z, gold).weights_[0, 0]
    assert found == pytest.approx(best, abs=0.01)
    assert loss(found) <= loss(best) + 1e-6


def test_a_useless_member_gets_no_weight():
    z, gold = members(rows=4000)
    z[1] = -z[0]
    assert COMBINERS.build("lambda_weighted", {}, 2).fit(z, gold).weights_[1, 0] < 0.02


def test_weights_of_a_label_are_shrunk_by_its_positives():
    z, gold = members(labels=2)
    gold[:, 1] = 0
    gold[:7, 1] = 1
    z[:, :, 1] = z[:, ::-1, 1]
    common = COMBINERS.build("lambda_weighted", {}, 2).fit(z, gold).weights_
    shrunk = {
        c: COMBINERS.build("lambda_weighted", {"scope": "per_label", "shrinkage": c}, 2).fit(z, gold).weights_
        for c in (0.0, 50.0)
    }
    assert np.allclose(shrunk[50.0][:, 1], (7 * shrunk[0.0][:, 1] + 50 * common[:, 0]) / 57, rtol=0, atol=1e-12)
    assert np.allclose(shrunk[50.0].sum(axis=0), 1)
    gold[:, 1] = 0
    never = COMBINERS.build("lambda_weighted", {"scope": "per_label"}, 2).fit(z, gold)
    common = COMBINERS.build("lambda_weighted", {}, 2).fit(z, gold).weights_
    assert np.allclose(never.weights_[:, 1], common[:, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"weights": (0.5, 0.5)}, "2 weights for 3 members"),
        ({"weights": (0.5, 0.5, 0.5)}, "their sum is 1.5; accepted: 1"),
        ({"weights": "equal", "scope": "per_label"}, 'Fix: weights = "fitted"'),
    ],
)
def test_weights_that_make_no_sense(options, words):
    with pytest.raises(ConfigError, match=words):
        COMBINERS.build("lambda_weighted", options, 3)


def test_votes_are_counted():
    z = np.array([[[1.0, -1.0, 1.0]], [[1.0, -1.0, -1.0]], [[-1.0, -1.0, 1.0]]])
    vote = COMBINERS.build("majority_vote", {"threshold": 0.5}, 3).fit(z, np.ones((1, 3)))
    assert np.allclose(sigmoid(vote.apply(z)), [[2 / 3, 1e-6, 2 / 3]])


def test_each_member_votes_by_its_own_threshold():
    gold = np.array([[1.0], [1], [0], [0]])
    z = np.array([[[5.0], [4], [3], [2]], [[-1.0], [-2], [-3], [-4]], [[0.2], [0.4], [0.3], [0.1]]])
    vote = COMBINERS.build("majority_vote", {}, 3).fit(z, gold)
    # of the third, the best cut takes three cells: F1 = 2 * 2 / (3 + 2) = .8
    assert vote.cuts_ == pytest.approx([3.5, -2.5, 0.15])
    assert sigmoid(vote.apply(z))[:, 0] == pytest.approx([1 - 1e-6, 1 - 1e-6, 1 / 3, 1e-6])


def test_an_even_number_of_voters_is_refused():
    with pytest.raises(ConfigError, match=r"odd number of members.*there are 4. Fix: one member more or less"):
        COMBINERS.build("majority_vote", {}, 4)


@pytest.mark.parametrize("form", ["diagonal", "full"])
def test_stacking_is_a_logistic_regression_a_label(form):
    z, gold = members(rows=150)
    joined = COMBINERS.build("stacking", {"form": form, "strength": 0.3}, 2).fit(z, gold).apply(z)
    for label in range(3):
        features = np.stack([z[0, :, label], z[1, :, label]], 1) if form == "diagonal" else np.hstack([z[0], z[1]])
        model = LogisticRegression(C=0.3, tol=1e-10, max_iter=5000).fit(features, gold[:, label])
        assert np.allclose(joined[:, label], model.decision_function(features), rtol=0, atol=1e-3)


@pytest.mark.parametrize("form", ["diagonal", "full"])
def test_a_label_that_never_occurs_gets_the_mean(form):
    z, gold = members()
    gold[:, 1] = 0
    gold[3, 1] = np.nan
    joined = COMBINERS.build("stacking", {"form": form}, 2).fit(z, gold).apply(z)
    assert np.allclose(joined[:, 1], z[:, :, 1].mean(axis=0))


def test_full_stacking_learns_which_labels_go_together():
    rng = np.random.default_rng(0)
    first = rng.normal(size=500)
    z = np.stack([np.stack([first, rng.normal(size=500)], 1)])
    gold = np.stack([first > 0, first > 0], 1).astype(float)  # the second follows the first, its own logit says nothing
    full = COMBINERS.build("stacking", {"form": "full"}, 1).fit(z, gold).apply(z)
    own = COMBINERS.build("stacking", {}, 1).fit(z, gold).apply(z)
    assert ((full[:, 1] > 0) == gold[:, 1]).mean() > 0.95
    assert ((own[:, 1] > 0) == gold[:, 1]).mean() < 0.7

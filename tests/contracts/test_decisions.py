"""What holds for every registered decision, with its default options and with others."""

import json

import numpy as np
import pytest

from multitag.decisions import DECISIONS
from multitag.errors import DataError, NotFittedError, RunError

METRICS = ["samples_f1", "micro_f1", "macro_f1"]
OPTIONS = {
    "global_threshold": [{"metric": metric} for metric in METRICS] + [{"threshold": 0.5}],
    "per_label": [{"metric": metric, "min_positives": 3} for metric in METRICS] + [{"shrinkage": 0}],
    "top_k": [{"k": 2}, *({"metric": metric} for metric in METRICS)],
    "expected_f1": [{"tail": 0.0}],
}
CASES = [(name, options) for name in DECISIONS.names() for options in [{}, *OPTIONS.get(name, [])]]

pytestmark = pytest.mark.parametrize(("name", "options"), CASES, ids=str)


def random_data(seed=0, rows=80, labels=5, unknown=0.1):
    """Probabilities without ties and gold labels, every known row with at least one."""
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < np.linspace(0.6, 0.1, labels)).astype(float)
    gold[gold.sum(axis=1) == 0, 0] = 1
    probs = 1 / (1 + np.exp(-(2 * gold - 2 + rng.normal(size=gold.shape))))
    gold[rng.random(gold.shape) < unknown] = np.nan
    return probs, gold


def fitted(name, options, probs, gold, **more):
    return DECISIONS.build(name, {**options, **more}).fit(probs, gold)


def test_gives_label_sets(name, options):
    probs, gold = random_data()
    decision = DECISIONS.build(name, options)
    assert decision.fit(probs, gold) is decision
    chosen = decision.apply(probs)
    assert chosen.dtype == np.bool_
    assert chosen.shape == probs.shape
    assert 0 < chosen.mean() < 1
    assert DECISIONS.summary(name).endswith(".")


def test_before_fit_it_says_so(name, options):
    decision = DECISIONS.build(name, options)
    with pytest.raises(NotFittedError, match=r"not fitted. Fix: call fit"):
        decision.apply(np.full((1, 2), 0.5))
    with pytest.raises(NotFittedError, match=r"not fitted. Fix: call fit"):
        decision.state()


def test_state_survives_json_exactly(name, options):
    probs, gold = random_data()
    decision = fitted(name, options, probs, gold)
    state = json.loads(json.dumps(decision.state(), allow_nan=False))
    again = DECISIONS.build(name, options).load_state(state)
    assert again.state() == decision.state()
    other = random_data(1)[0]
    assert np.array_equal(again.apply(other), decision.apply(other))


def test_a_foreign_state_is_refused(name, options):
    with pytest.raises(RunError, match=r"lacks '\w+'; it holds 'colour'"):
        DECISIONS.build(name, options).load_state({"colour": "red"})


def test_order_of_rows_changes_nothing(name, options):
    probs, gold = random_data()
    order = np.random.default_rng(0).permutation(len(probs))
    decision, moved = fitted(name, options, probs, gold), fitted(name, options, probs[order], gold[order])
    assert moved.state() == decision.state()
    assert np.array_equal(decision.apply(probs[order]), decision.apply(probs)[order])


def test_order_of_labels_moves_with_the_answers(name, options):
    if name == "per_label" and options.get("metric") in ("samples_f1", "micro_f1"):
        pytest.skip("coordinate ascent goes from label to label; its local optimum depends on their order")
    probs, gold = random_data()
    order = np.random.default_rng(0).permutation(probs.shape[1])
    decision, moved = (
        fitted(name, options, probs, gold),
        fitted(name, options, probs[:, order], gold[:, order]),
    )
    assert np.array_equal(moved.apply(probs[:, order]), decision.apply(probs)[:, order])


def test_batch_size_changes_nothing(name, options):
    probs, gold = random_data()
    decision = fitted(name, options, probs, gold)
    parts = [decision.apply(probs[start : start + 7]) for start in range(0, len(probs), 7)]
    assert np.array_equal(np.concatenate(parts), decision.apply(probs))
    assert decision.apply(probs[:0]).shape == (0, 5)


def test_a_taken_labels_likelier_neighbour_is_taken_too(name, options):
    probs, gold = random_data()
    decision = fitted(name, options, probs, gold)
    before = decision.apply(probs)
    row, label = np.argwhere(before)[0]
    surer = probs.copy()
    surer[row, label] = (1 + surer[row, label]) / 2
    assert decision.apply(surer)[row, label]


def test_unknown_cells_are_as_if_not_there(name, options):
    probs, gold = random_data(labels=1, unknown=0.3)
    there = ~np.isnan(gold[:, 0])
    assert 0 < there.sum() < len(there)
    dropped = fitted(name, options, probs[there], gold[there])
    assert fitted(name, options, probs, gold).state() == dropped.state()


def test_probabilities_of_unknown_cells_teach_nothing(name, options):
    probs, gold = random_data()
    options = {**options, "never_empty": "no"}
    other = np.where(np.isnan(gold), 1 - probs, probs)
    if name == "top_k":
        pytest.skip("a row's likeliest labels are taken by rank, known or not")
    assert fitted(name, options, other, gold).state() == fitted(name, options, probs, gold).state()


def test_never_empty(name, options):
    probs, gold = random_data(unknown=0)
    low = np.full((4, 5), 1e-9)
    low[:, 3] = 2e-9
    always = fitted(name, options, probs, gold, never_empty="yes").apply(np.concatenate([low, probs]))
    assert always.any(axis=1).all()
    assert always[:4, 3].all()
    if options.get("k") is None:
        assert not fitted(name, options, probs, 0 * gold, never_empty="no").apply(low).any()


def test_never_empty_learns_from_gold_or_from_what_it_is_told(name, options):
    probs, gold = random_data()

    def learned(gold, **told):
        return DECISIONS.build(name, options).fit(probs, gold, **told).state()["never_empty"]

    empty = gold.copy()
    empty[0] = 0
    unsure = gold.copy()
    unsure[0] = [0, 0, 0, 0, np.nan]
    nowhere_whole = gold.copy()
    nowhere_whole[:, 1] = np.nan
    assert learned(gold) is True
    assert learned(empty) is False
    assert learned(unsure) is True
    assert learned(nowhere_whole) is False
    assert learned(empty, always_labelled=True) is True
    assert learned(gold, always_labelled=False) is False
    switched = DECISIONS.build(name, {**options, "never_empty": "no"}).fit(probs, gold, always_labelled=True)
    assert switched.state()["never_empty"] is False


@pytest.mark.parametrize(
    ("probs", "gold"),
    [
        (np.full((6, 3), 0.2), np.zeros((6, 3))),
        (np.full((6, 3), 0.2), np.ones((6, 3))),
        (np.zeros((6, 3)), np.eye(6, 3)),
        (np.ones((6, 3)), np.eye(6, 3)),
        (np.array([[0.2, 0.9, 0.4]]), np.array([[0.0, 1.0, 0.0]])),
        (np.linspace(0, 1, 6)[:, None], np.array([[0.0], [0], [1], [0], [1], [1]])),
        (np.array([[0.7]]), np.array([[0.0]])),
        (np.full((3, 2), 0.5), np.array([[1.0, np.nan], [0, np.nan], [np.nan, np.nan]])),
    ],
    ids=["no labels", "all labels", "zeros", "ones", "one row", "one label", "one cell", "unknown label"],
)
def test_poor_data_work(name, options, probs, gold):
    decision = fitted(name, options, probs, gold)
    chosen = decision.apply(probs)
    assert chosen.shape == probs.shape
    assert decision.never_empty_ <= chosen.any(axis=1).all()
    json.dumps(decision.state(), allow_nan=False)


def test_float32_and_strided_arrays_give_the_same(name, options):
    probs, gold = random_data()
    narrow = probs.astype(np.float32)
    wide = narrow.astype(np.float64)
    first = fitted(name, options, narrow, gold.astype(np.float32)).apply(narrow)
    assert np.array_equal(first, fitted(name, options, np.asfortranarray(wide), gold).apply(wide))


def test_the_given_arrays_are_left_as_they_are(name, options):
    probs, gold = random_data()
    kept = probs.copy(), gold.copy()
    fitted(name, options, probs, gold).apply(probs)
    assert np.array_equal(probs, kept[0])
    assert np.array_equal(gold, kept[1], equal_nan=True)


@pytest.mark.parametrize(
    ("probs", "gold", "words"),
    [
        (np.array([[0.5, np.nan]]), np.zeros((1, 2)), r"1 of 2 are not, the first at row 0, label 1: nan"),
        (np.array([[0.5, 1.5]]), np.zeros((1, 2)), r"label 1: 1.5"),
        (np.array([[0.5, -3.0]]), np.zeros((1, 2)), r"label 1: -3.0"),
        (np.array([0.5, 0.5]), np.zeros(2), r"shape \(rows, labels\); got \(2,\)"),
        (np.full((1, 2), 0.5), np.zeros((2, 1)), r"gold labels have the shape \(2, 1\)"),
        (np.full((1, 2), 0.5), np.array([[0.0, 2.0]]), r"gold\[0, 1\] is 2.0"),
        (np.full((1, 2), 0.5), np.full((1, 2), np.nan), r"not one known gold label"),
        (np.zeros((0, 2)), np.zeros((0, 2)), r"not one known gold label"),
    ],
)
def test_bad_data_are_named(name, options, probs, gold, words):
    with pytest.raises(DataError, match=words):
        fitted(name, options, probs, gold)


def test_bad_probabilities_are_named_when_applied(name, options):
    decision = fitted(name, options, *random_data())
    with pytest.raises(DataError, match=r"the first at row 1, label 4: nan"):
        decision.apply(np.array([[0.5] * 5, [0.5] * 4 + [np.nan]]))

"""What holds for every registered combiner, with its default options and with others."""

import json

import numpy as np
import pytest

from multitag.combiners import COMBINERS
from multitag.errors import DataError, NotFittedError, RunError

OPTIONS = {
    "mean": [{"of": "probabilities"}],
    "lambda_weighted": [{"weights": "equal"}, {"weights": (0.2, 0.5, 0.3)}, {"scope": "per_label"}],
    "majority_vote": [{"threshold": 0.4}],
    "stacking": [{"form": "full"}],
}
CASES = [(name, options) for name in COMBINERS.names() for options in [{}, *OPTIONS.get(name, [])]]

pytestmark = pytest.mark.parametrize(("name", "options"), CASES, ids=str)


def random_data(seed=0, rows=120, labels=4, members=3, unknown=0.1):
    """Logits of members of different worth, and gold labels."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-0.5, 2, (rows, labels))
    gold = (rng.random((rows, labels)) < 1 / (1 + np.exp(-true))).astype(float)
    gold[rng.random(gold.shape) < unknown] = np.nan
    noise = np.linspace(0.5, 2, members)[:, None, None] * rng.normal(size=(members, rows, labels))
    return true + noise, gold


def built(name, options, members=3):
    return COMBINERS.build(name, options, members)


def test_joins_members_into_logits(name, options):
    logits, gold = random_data()
    combiner = built(name, options)
    assert combiner.fit(logits, gold) is combiner
    joined = combiner.apply(logits)
    assert joined.shape == gold.shape
    assert joined.dtype == np.float64
    assert np.isfinite(joined).all()
    known = ~np.isnan(gold)
    assert ((joined > 0) == (gold == 1))[known].mean() > 0.7, "the members together must know something"


def test_before_fit_it_says_so(name, options):
    combiner = built(name, options)
    for call in (lambda: combiner.apply(np.zeros((3, 1, 2))), combiner.state):
        with pytest.raises(NotFittedError, match=r"not fitted. Fix: call fit"):
            call()


def test_state_survives_json_exactly(name, options):
    logits, gold = random_data()
    combiner = built(name, options).fit(logits, gold)
    again = built(name, options).load_state(json.loads(json.dumps(combiner.state(), allow_nan=False)))
    assert again.state() == combiner.state()
    other = random_data(1)[0]
    assert np.array_equal(again.apply(other), combiner.apply(other))


def test_a_foreign_state_is_refused(name, options):
    with pytest.raises(RunError, match=r"lacks '\w+'; it holds 'colour'"):
        built(name, options).load_state({"colour": "red"})
    five = {**built("mean", {}, 5).fit(np.zeros((5, 2, 2)), np.eye(2)).state()}
    with pytest.raises(RunError, match="of 5 members, and there are 3"):
        built(name, options).load_state(five)


def test_order_of_rows_changes_nothing(name, options):
    logits, gold = random_data()
    order = np.random.default_rng(0).permutation(len(gold))
    expected = built(name, options).fit(logits, gold).apply(logits)
    moved = built(name, options).fit(logits[:, order], gold[order]).apply(logits[:, order])
    assert np.allclose(moved, expected[order], rtol=0, atol=1e-4)


def test_order_of_labels_moves_with_the_answers(name, options):
    logits, gold = random_data()
    order = np.array([2, 0, 3, 1])
    expected = built(name, options).fit(logits, gold).apply(logits)
    moved = built(name, options).fit(logits[..., order], gold[:, order]).apply(logits[..., order])
    assert np.allclose(moved, expected[:, order], rtol=0, atol=1e-4)


def test_members_may_come_in_any_order(name, options):
    logits, gold = random_data()
    order = [2, 0, 1]
    moved_options = dict(options)
    if isinstance(options.get("weights"), tuple):
        moved_options["weights"] = tuple(options["weights"][place] for place in order)
    expected = built(name, options).fit(logits, gold).apply(logits)
    moved = built(name, moved_options).fit(logits[order], gold).apply(logits[order])
    assert np.allclose(moved, expected, rtol=0, atol=1e-4)


def test_batch_size_changes_nothing(name, options):
    logits, gold = random_data()
    combiner = built(name, options).fit(logits, gold)
    whole = combiner.apply(logits)
    parts = [combiner.apply(logits[:, start : start + 7]) for start in range(0, len(gold), 7)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert combiner.apply(logits[:, :0]).shape == (0, 4)


def test_unknown_cells_are_as_if_not_there(name, options):
    logits, gold = random_data(labels=1, unknown=0.3)
    there = ~np.isnan(gold[:, 0])
    assert 0 < there.sum() < len(there)
    masked = built(name, options).fit(logits, gold)
    dropped = built(name, options).fit(logits[:, there], gold[there])
    assert np.allclose(masked.apply(logits), dropped.apply(logits), rtol=0, atol=1e-6)


def test_logits_of_unknown_cells_teach_nothing(name, options):
    logits, gold = random_data()
    if options.get("form") == "full":
        pytest.skip("a label's regression reads the other labels' logits, whether those labels are known or not")
    other = np.where(np.isnan(gold), -logits, logits)
    expected = built(name, options).fit(logits, gold).apply(logits)
    assert np.allclose(built(name, options).fit(other, gold).apply(logits), expected, rtol=0, atol=1e-6)


def test_members_that_all_agree_give_back_the_member(name, options):
    logits, gold = random_data()
    same = np.repeat(logits[:1], 3, axis=0)
    joined = built(name, options).fit(same, gold).apply(same)
    if name == "stacking":  # it calibrates too: the order of the rows is the member's
        if options.get("form") != "full":
            for label in range(4):
                assert (np.argsort(joined[:, label]) == np.argsort(logits[0, :, label])).all()
    elif name == "majority_vote":  # all or none
        cut = built(name, options).fit(same, gold).cuts_[0]
        assert ((joined > 13) == (logits[0] >= cut)).all()
        assert ((joined < -13) == (logits[0] < cut)).all()
    else:
        assert np.allclose(joined, logits[0], rtol=0, atol=1e-9)


def test_one_member_will_do(name, options):
    logits, gold = random_data(members=1)
    if isinstance(options.get("weights"), tuple):
        options = {"weights": (1.0,)}
    assert np.isfinite(built(name, options, 1).fit(logits, gold).apply(logits)).all()


@pytest.mark.parametrize(
    ("logits", "gold"),
    [
        (np.linspace(-1, 1, 6)[:, None] * np.ones((3, 6, 3)), np.zeros((6, 3))),
        (np.linspace(-1, 1, 6)[:, None] * np.ones((3, 6, 3)), np.ones((6, 3))),
        (np.zeros((3, 6, 3)), np.eye(6, 3)),
        (np.full((3, 6, 3), -1e9), np.eye(6, 3)),
        (np.full((3, 6, 3), np.inf), np.eye(6, 3)),
        (np.full((3, 1, 1), 3.0), np.zeros((1, 1))),
        (np.array([[[-4.0], [-2], [2], [4]]] * 3), np.array([[0.0], [0], [1], [1]])),
        (np.ones((3, 1, 2)), np.array([[1.0, np.nan]])),
    ],
    ids=["no labels", "all labels", "zeros", "extreme", "infinite", "one cell", "separable", "unknown label"],
)
def test_poor_data_work(name, options, logits, gold):
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        combiner = built(name, options).fit(logits, gold)
        joined = combiner.apply(logits)
    assert joined.shape == gold.shape
    assert np.isfinite(joined).all()
    json.dumps(combiner.state(), allow_nan=False)


def test_the_given_arrays_are_left_as_they_are(name, options):
    logits, gold = random_data()
    kept = logits.copy(), gold.copy()
    built(name, options).fit(logits.astype(np.float32), gold.astype(np.float32))
    built(name, options).fit(logits, gold).apply(logits)
    assert np.array_equal(logits, kept[0])
    assert np.array_equal(gold, kept[1], equal_nan=True)


@pytest.mark.parametrize(
    ("logits", "gold", "words"),
    [
        (np.full((3, 1, 2), np.nan), np.zeros((1, 2)), r"6 of 6 are, the first of member 0 at row 0, label 0"),
        (np.zeros((1, 2)), np.zeros((1, 2)), r"shape \(members, rows, labels\); got \(1, 2\)"),
        (np.zeros((5, 1, 2)), np.zeros((1, 2)), r"logits of 5 members, but the combiner is for 3"),
        (np.zeros((3, 1, 2)), np.zeros((2, 1)), r"gold labels have the shape \(2, 1\)"),
        (np.zeros((3, 1, 2)), np.array([[0.0, 2.0]]), r"gold\[0, 1\] is 2.0"),
        (np.zeros((3, 1, 2)), np.full((1, 2), np.nan), r"not one known gold label"),
        (np.zeros((3, 0, 2)), np.zeros((0, 2)), r"not one known gold label"),
    ],
)
def test_bad_data_are_named(name, options, logits, gold, words):
    with pytest.raises(DataError, match=words):
        built(name, options).fit(logits, gold)


def test_another_number_of_labels_is_named_when_applied(name, options):
    combiner = built(name, options).fit(*random_data())
    with pytest.raises(DataError, match="logits of 2 labels, but the combiner was fitted on 4"):
        combiner.apply(np.zeros((3, 1, 2)))

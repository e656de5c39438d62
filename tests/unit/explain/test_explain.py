"""Explanations of trained models: what they point at, and what they leave as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from multitag import Classifier, Ensemble
from multitag.errors import ConfigError, DataError, NotFittedError
from multitag.explain import How, check, explain
from multitag.features.store import FeatureStore
from multitag.types import Sample
from tiny import WORDS
from training_support import quick


@pytest.fixture(scope="module")
def fitted(models: dict[str, Path], table: Path) -> Classifier:
    """Learned from words and a frozen picture encoder; captions say the label."""
    encoders = {
        "text": {"name": "bag_of_ngrams", "ngrams": 1, "min_count": 1},
        "image": {"name": "transformers_image", "model": str(models["resnet"])},
    }
    train = {"epochs": 20, "min_steps": 0, "lr": 0.05, "batch_size": 8, "folds": 2, "ema": 0.0}
    return Classifier(quick(encoders=encoders, fusion={"name": "concat"}, head={"name": "linear"}, train=train)).fit(
        table
    )


def row_of(fitted: Classifier, table: Path, number: int) -> Sample:
    return fitted.read(table).samples[number]


def test_the_word_that_names_the_label_is_worth_most(fitted, table):
    sample = row_of(fitted, table, 3)
    assert sample.text is not None
    assert sample.text.startswith("a bird over the boat")
    found = explain(fitted, sample, How(labels=["sea", "animal"], side=2))
    assert [label.label for label in found.labels] == ["sea", "animal"]
    assert found.text is not None
    for label, word in zip(found.labels, ("boat", "bird"), strict=True):
        worth = label.sides["text"].worth
        assert found.text.word(int(worth.argmax())) == word


def test_probabilities_are_those_of_predict(fitted, table):
    sample = row_of(fitted, table, 0)
    expected = fitted.predict([sample])
    found = explain(fitted, sample, How(labels=fitted.labels_.names, side=2))
    np.testing.assert_allclose([label.probability for label in found.labels], expected.probabilities[0], atol=1e-5)
    assert [label.predicted for label in found.labels] == expected.values[0].tolist()
    bare = fitted.predict(
        [replace(sample, id="no text", text=None), replace(sample, id="no picture", image=None)]
    ).probabilities
    for place, label in enumerate(found.labels):
        assert label.sides["text"].without == pytest.approx(bare[0, place], abs=1e-5)
        assert label.sides["image"].without == pytest.approx(bare[1, place], abs=1e-5)


def test_a_word_is_worth_what_leaving_it_out_costs(fitted):
    """Against predictions of the rows written out by hand: "dog" alone, and "cat" in both of its places."""
    texts = {"whole": "dog cat cat", "dog": "cat cat", "cat 1": "dog cat", "cat 2": "dog cat", "cats": "dog"}
    p = fitted.predict([Sample(name, text=text) for name, text in texts.items()]).probabilities[:, 0]
    odds = dict(zip(texts, np.log(p) - np.log1p(-p), strict=True))
    [label] = explain(fitted, Sample("r", text=texts["whole"]), How(labels=[fitted.labels_.names[0]])).labels
    alone = odds["whole"] - odds["cat 1"]
    both = odds["whole"] - odds["cats"]
    expected = [odds["whole"] - odds["dog"], (alone + both / 2) / 2, (alone + both / 2) / 2]
    np.testing.assert_allclose(label.sides["text"].worth, expected, atol=1e-4)
    assert set(label.sides) == {"text"}


def test_nothing_stays_in_the_feature_store(fitted, table, own_store):
    sample = row_of(fitted, table, 1)
    fitted.predict([sample])
    with FeatureStore(own_store) as store:
        before = len(store)
        explain(fitted, sample, How(side=3))
        assert len(store) == before


def test_the_same_again_and_the_rows_own_labels_change_nothing(fitted, table):
    sample = row_of(fitted, table, 2)
    other = replace(sample, labels=("sea",), unknown=("animal",))
    one, two = explain(fitted, sample, How(side=2)), explain(fitted, other, How(side=2))
    assert one.to_dict() == two.to_dict()


def test_predicted_labels_are_explained_or_the_likeliest(fitted, table):
    sample = row_of(fitted, table, 3)
    predictions = fitted.predict([sample])
    found = [label.label for label in explain(fitted, sample, How(side=2)).labels]
    assert set(found) == set(predictions.labels[0])
    never = Classifier.__new__(Classifier)
    never.__dict__ |= fitted.__dict__
    never.set_decision("global_threshold", threshold=1.0, never_empty="no")
    [label] = explain(never, sample, How(side=2)).labels
    assert not label.predicted
    assert label.label == fitted.labels_.names[int(predictions.probabilities[0].argmax())]


def test_an_ensemble_is_explained_as_a_whole(fitted, table):
    words = quick(
        encoders={"text": {"name": "bag_of_ngrams", "ngrams": 1, "min_count": 1}},
        fusion={"name": "single"},
        train={"epochs": 5, "min_steps": 0, "lr": 0.05, "ema": 0.0},
    )
    ensemble = Ensemble({"one": words, "two": words.changed(["train.lr=0.01"])}).fit(table)
    sample = row_of(fitted, table, 0)
    found = explain(ensemble, sample, How(labels=["animal"]))
    expected = ensemble.predict([sample]).probabilities[0, ensemble.labels_.names.index("animal")]
    assert found.labels[0].probability == pytest.approx(expected, abs=1e-5)
    assert found.picture is None, "no member reads pictures"


def test_a_check_over_rows_counts_both_sides(fitted, table):
    samples = fitted.read(table).samples[3:5]  # the second has no caption
    found = check(fitted, samples, How(side=2, rounds=3))
    assert (found["image"].rows, found["text"].rows) == (2, 1)
    assert found["image"].pairs >= 2


def test_words_of_a_model_of_words_pass_the_check(fitted, table):
    samples = [row for row in fitted.read(table).samples if row.text]
    found = check(fitted, [replace(row, image=None) for row in samples], How(labels=["animal", "sea", "people"]))
    assert set(found) == {"text"}
    assert found["text"].low > 0, "what is worth most costs more than what is drawn, surely"


@pytest.mark.parametrize(
    ("sample", "how", "error", "said"),
    [
        (Sample("r", text="dog"), How(labels=["anmal"]), ConfigError, "no label 'anmal'; did you mean 'animal'?"),
        (Sample("r", text="  "), How(), DataError, "r has nothing that the model reads"),
        (Sample("r", image=b"no picture"), How(), DataError, "accepted format"),
    ],
)
def test_faults_are_said(fitted, sample, how, error, said):
    with pytest.raises(error, match=said.replace("?", r"\?")):
        explain(fitted, sample, how)


def test_what_is_not_fitted_explains_nothing():
    with pytest.raises(NotFittedError):
        explain(Classifier(quick()), Sample("r", text=WORDS[0]))

"""The plain baseline is scikit-learn's TfidfVectorizer, number for number."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

import tiny
from multitag.encoders.bag_of_ngrams import BagOfNgrams
from multitag.errors import DataError, NotFittedError

TRAIN = [*tiny.TEXTS, "The café under the TREE", "a café, a café!", "words of no other text"]
NEW = ["the cafe", "unseen only", "", "the the the dog dog under a tree"]


def vectors(encoder, texts):
    return encoder(encoder.prepare(texts)).pooled.numpy()


@pytest.mark.parametrize("options", [{}, {"ngrams": 1}, {"ngrams": 3, "min_count": 1}, {"max_features": 4}])
def test_equals_scikit_learn_before_and_after_a_restore(options):
    encoder = BagOfNgrams(**options)
    encoder.load()
    encoder.fit(TRAIN)
    reference = TfidfVectorizer(
        ngram_range=(1, options.get("ngrams", 2)),
        min_df=options.get("min_count", 2),
        max_features=options.get("max_features"),
        sublinear_tf=True,
        strip_accents="unicode",
        dtype=np.float32,
    ).fit(TRAIN)
    restored = BagOfNgrams(**options)
    restored.restore(json.loads(json.dumps(encoder.assets())))
    for texts in (TRAIN, NEW):
        expected = reference.transform(texts).toarray()
        assert encoder.width == restored.width == expected.shape[1]
        assert np.array_equal(vectors(encoder, texts), expected)
        assert np.array_equal(vectors(restored, texts), expected)
    assert restored.assets() == encoder.assets()


def test_two_words_by_hand():
    """Rows: "dog dog cat", "cat". idf(cat) = ln(3/3) + 1 = 1, idf(dog) = ln(3/2) + 1; tf(dog) = 1 + ln 2."""
    encoder = BagOfNgrams(ngrams=1, min_count=1)
    encoder.fit(["dog dog cat", "cat"])
    dog = (1 + np.log(2)) * (1 + np.log(1.5))
    expected = np.array([1, dog]) / np.hypot(1, dog)
    assert encoder.assets()["vocabulary"] == ["cat", "dog"]
    assert vectors(encoder, ["dog cat dog"])[0] == pytest.approx(expected, rel=1e-6)


def test_rare_words_stay_in_a_table_of_one_or_two_rows():
    encoder = BagOfNgrams(min_count=5)
    encoder.fit(["one dog", "two cats"])
    assert encoder.width == 6


@pytest.mark.parametrize("texts", [[], ["", " "], ["?!", "a"]])
def test_nothing_to_learn_from_is_an_error(texts):
    with pytest.raises(DataError, match=rf"no word to learn from in {len(texts)} training texts"):
        BagOfNgrams().fit(texts)


def test_before_fit_it_says_so():
    with pytest.raises(NotFittedError, match="call fit with the training texts first"):
        BagOfNgrams().prepare(["a dog"])

"""What each text augmentation does."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from multitag.augment.shuffle import Shuffle
from multitag.augment.word_dropout import WordDropout


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_word_dropout_leaves_out_its_share_and_keeps_the_order():
    text = " ".join(map(str, range(1000)))
    kept = [int(word) for word in WordDropout(share=0.3)(text, random()).split()]
    assert kept == sorted(kept)
    assert 640 <= len(kept) <= 760


def test_word_dropout_keeps_a_word():
    texts = {WordDropout(share=0.99)("a b c", random(seed)) for seed in range(60)}
    assert {"a", "b", "c"} <= texts
    assert "" not in texts


def test_shuffle_gives_every_order_of_the_sentences():
    orders = {Shuffle(p=1)("A dog. A cat! No?", random(seed)) for seed in range(60)}
    assert orders == {" ".join(order) for order in permutations(["A dog.", "A cat!", "No?"])}


def test_shuffle_takes_lines_for_sentences_and_leaves_a_single_one():
    assert {Shuffle(p=1)("TOP TEXT\nBOTTOM", random(seed)) for seed in range(20)} == {
        "TOP TEXT BOTTOM",
        "BOTTOM TOP TEXT",
    }
    assert Shuffle(p=1)("a dog in 3.5 rows", random()) == "a dog in 3.5 rows"

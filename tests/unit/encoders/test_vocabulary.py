"""Words get numbers by how often they occur; unknown ones and padding have numbers of their own."""

from __future__ import annotations

import torch

from multitag.encoders.vocabulary import PAD, UNKNOWN, Vocabulary, padded

TEXTS = [["dog", "cat"], ["dog", "bird"], ["ant", "dog", "cat"]]


def test_most_frequent_first_and_ties_by_the_alphabet():
    assert Vocabulary.learned(TEXTS).words == ("dog", "cat", "ant", "bird")
    assert Vocabulary.learned(TEXTS[::-1]).words == ("dog", "cat", "ant", "bird")
    assert Vocabulary.learned(TEXTS, size=3).words == ("dog", "cat", "ant")
    assert Vocabulary.learned(TEXTS, min_count=2).words == ("dog", "cat")
    assert len(Vocabulary.learned(TEXTS)) == 6


def test_numbers_are_cut_and_never_none():
    vocabulary = Vocabulary.learned(TEXTS)
    assert vocabulary.numbers(["cat", "horse", "dog", "dog"], 3) == [3, UNKNOWN, 2]
    assert vocabulary.numbers([], 3) == [UNKNOWN]


def test_padding_is_at_the_end():
    assert torch.equal(padded([[2], [3, 4, 5]]), torch.tensor([[2, PAD, PAD], [3, 4, 5]]))

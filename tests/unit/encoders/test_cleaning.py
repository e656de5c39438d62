"""Text cleaning does what seed 003's table 2 shows, step by step."""

from __future__ import annotations

from typing import get_args

import pytest

from multitag.encoders.cleaning import Cleaning, Language, stop_words

TABLE_2 = [
    ("Woman in swim suit holding parasol on sunny day.", "woman swim suit hold parasol sunni day"),
    # The paper prints "coup" for the first word; Snowball's English stem of "couple" is "coupl".
    ("A couple of men riding horses on top of a green field.", "coupl men ride hors top green field"),
    ("They are brave for riding in the jungle on those elephants.", "brave ride jungl eleph"),
    (
        "a black and silver clock tower at an intersection near a tree",
        "black silver clock tower intersect near tree",
    ),
]


@pytest.mark.parametrize(("original", "processed"), TABLE_2)
def test_the_examples_of_table_2(original, processed):
    assert Cleaning().words(original) == processed.split()


TEXT = "The Dogs aren't well-known, JUST running_fast!"
NOTHING = {"lower_case": False, "strip_punctuation": False, "drop_stop_words": False, "word_form": "as_is"}


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ({}, "The Dogs aren't well-known, JUST running_fast!"),
        ({"lower_case": True}, "the dogs aren't well-known, just running_fast!"),
        ({"strip_punctuation": True}, "The Dogs arent well known JUST running fast"),
        ({"drop_stop_words": True}, "Dogs well-known, running_fast!"),
        ({"drop_stop_words": True, "strip_punctuation": True}, "Dogs well known running fast"),
        (
            {"lower_case": True, "strip_punctuation": True, "word_form": "stem"},
            "the dog arent well known just run fast",
        ),
    ],
)
def test_each_step_is_a_switch(on, expected):
    assert Cleaning(**{**NOTHING, **on}).words(TEXT) == expected.split()


def test_lemmas_are_words():
    words = Cleaning(word_form="lemma").words("The women were riding horses, two children watched.")
    assert [word for word in words if word in {"woman", "horse", "child"}] == ["woman", "horse", "child"]
    assert not {"hors", "women", "children"} & set(words)


def test_a_curly_apostrophe_is_an_apostrophe():
    assert Cleaning().words("they don’t") == Cleaning().words("they don't") == []


def test_nothing_may_be_left():
    assert Cleaning().words("") == Cleaning().words("... of the!") == []


@pytest.mark.parametrize("language", get_args(Language))
def test_every_language_has_stop_words_stems_and_lemmas(language):
    assert len(stop_words(language)) > 50
    for form in ("stem", "lemma"):
        assert Cleaning(word_form=form, language=language).words("Paris")


def test_languages_differ():
    assert Cleaning(language="german", word_form="as_is").words("Der Hund und die Katzen") == ["hund", "katzen"]
    assert Cleaning(language="german").words("Katzen") == ["katz"]
    assert Cleaning(language="german", word_form="lemma").words("Katzen") == ["Katze"]

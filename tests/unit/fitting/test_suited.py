"""A preset without what a table has nothing for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from multitag.config import Config
from multitag.errors import DataError
from multitag.fitting.suited import suited
from multitag.types import Sample
from training_support import ONLY_TEXT, TEXT_AND_PICTURE, quick

PICTURE = {"image": TEXT_AND_PICTURE["image"]}
SINGLE = {"name": "single"}
TEXT = [Sample("1", text="a dog", labels=("animal",))]
IMAGE = [Sample("1", image="dog.png", labels=("animal",)), Sample("2", image="b.png", text="  ", labels=())]


def preset(members: dict[str, Any] | None = None, **sections: Any) -> Config:
    ensemble = {} if members is None else {"ensemble": {"combiner": {"name": "stacking"}, "members": members}}
    return quick(encoders=TEXT_AND_PICTURE, preset="best", **ensemble, **sections)


def test_rows_with_both_change_nothing() -> None:
    config = preset({"a": {}, "b": {"encoders": ONLY_TEXT, "fusion": SINGLE}})
    assert suited(config, TEXT + IMAGE) == (config, [])


def test_what_is_no_preset_stays_as_it_was_asked_for() -> None:
    config = quick(encoders=TEXT_AND_PICTURE)
    assert suited(config, TEXT) == (config, [])


@pytest.mark.parametrize(("rows", "kept"), [(TEXT, "text"), (IMAGE, "image")])
def test_an_encoder_that_is_left_alone_is_not_fused(rows: list[Sample], kept: str) -> None:
    config, notes = suited(preset(), rows)
    assert list(config.encoders) == [kept]
    assert config.fusion.name == "single"
    what = "picture" if kept == "text" else "text"
    assert notes == [f"no training row has a {what}: encoders of {what}s are left out"]


def test_members_that_read_nothing_else_are_left_out() -> None:
    config = preset({"a": {}, "words": {"encoders": ONLY_TEXT, "fusion": SINGLE}, "b": {"seed": 1}})
    found, notes = suited(config, IMAGE)
    assert {name: list(member.encoders) for name, member in found.members.items() if member} == {
        "a": ["image"],
        "b": ["image"],
    }
    assert all(member.fusion.name == "single" for member in found.members.values() if member)
    assert notes[0].endswith("and with them the members words")


@pytest.mark.parametrize(
    ("rows", "left"), [(TEXT, ["frozen", "words", "both"]), (IMAGE, ["frozen", "pictures", "both"])]
)
def test_members_that_were_to_train_what_is_gone_are_left_out(rows: list[Sample], left: list[str]) -> None:
    """Without it they would be the frozen member once more, which costs time and adds nothing."""
    image = {**PICTURE["image"], "frozen": False}
    words = {"name": "lstm", "frozen": False}
    frozen_words = {"name": "bag_of_ngrams", "frozen": True}
    members = {
        "frozen": {"encoders": {**PICTURE, "words": frozen_words}},
        "pictures": {"encoders": {"image": image, "words": frozen_words}},
        "words": {"encoders": {**PICTURE, "words": words}},
        "both": {"encoders": {"image": image, "words": words}, "seed": 1},
    }
    found, notes = suited(preset(members), rows)
    assert sorted(found.members) == sorted(left)
    gone = "pictures" if rows is TEXT else "words"
    assert notes[0].endswith(f"and with them the members {gone}")


def test_members_that_become_the_same_are_trained_once() -> None:
    """One of pictures alone is the default itself where there is no text."""
    config = preset({"a": {}, "seen": {"encoders": PICTURE, "fusion": SINGLE}, "b": {"seed": 1}})
    found, notes = suited(config, IMAGE)
    assert list(found.members) == ["a", "b"]
    assert notes[0].endswith("and with them the members seen")
    assert list(suited(config, TEXT)[0].members) == ["a", "b"]
    assert list(suited(config, TEXT + IMAGE)[0].members) == ["a", "seen", "b"]


def test_each_member_keeps_its_own_fusion() -> None:
    """Two encoders of one modality are still fused, though the shared part has one left, and no fusion any more."""
    two = {"small": PICTURE["image"], "large": {**PICTURE["image"], "size": 96}}
    config = preset({"a": {}, "pictures": {"encoders": two}, "both": {"encoders": {**two, **ONLY_TEXT}, "seed": 1}})
    members = suited(config, IMAGE)[0].members
    fusions = {name: member.fusion.name for name, member in members.items() if member}
    assert fusions == {"a": "single", "pictures": "concat", "both": "concat"}
    assert list(members["both"].encoders) == ["small", "large"]  # type: ignore[union-attr]


def test_stages_and_augmentations_of_what_is_gone_go_too() -> None:
    stages = [
        {"epochs": 1, "train": ["heads"]},
        {"epochs": 1, "train": ["image"], "lr_scale": {"image": 0.5}},
        {"epochs": 1, "train": ["image", "words"], "lr_scale": {"image": 0.5, "words": 0.2}},
    ]
    encoders = {
        "image": {**PICTURE["image"], "frozen": False},
        "words": {"name": "lstm", "frozen": False},
    }
    own = {"encoders": encoders, "augment": {"steps": [{"name": "flip"}, {"name": "word_dropout"}]}}
    member = suited(preset({"a": {**own, "train": {"stages": stages}}}), TEXT)[0].members["a"]
    assert member is not None
    assert [step.name for step in member.augment.steps] == ["word_dropout"]
    assert [(stage.train, stage.lr_scale) for stage in member.train.stages] == [
        (("heads",), {}),
        (("words",), {"words": 0.2}),
    ]


def test_rows_that_nothing_reads_are_refused() -> None:
    words = {"words": {"encoders": ONLY_TEXT, "fusion": SINGLE}}
    with pytest.raises(DataError, match="no training row has a text, and no member of the preset 'best' does without"):
        suited(preset(words), IMAGE)
    with pytest.raises(DataError, match="no training row has a text, and the preset 'best' reads nothing else"):
        suited(replace_encoders(preset()), IMAGE)
    with pytest.raises(DataError, match="no training row has a picture or a text"):
        suited(preset(), [replace(IMAGE[0], image=None)])


def replace_encoders(config: Config) -> Config:
    return Config.parse({**config.values(), "encoders": ONLY_TEXT, "fusion": SINGLE})

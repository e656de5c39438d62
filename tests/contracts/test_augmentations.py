"""What holds for every registered augmentation, built with its defaults."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import tiny
from multitag.augment import AUGMENTATIONS
from multitag.augment.mixing import mixed
from multitag.types import Batch, Encoded

TEXTS = ["Two dogs run. A cat sleeps! Does a bird fly?", "one line\nanother line of words\na third", "cat", ""]


def of_kind(*kinds: str) -> list[str]:
    return [name for name in AUGMENTATIONS.names() if AUGMENTATIONS.get(name).kind in kinds]


def build(name: str, **options):
    return AUGMENTATIONS.build(name, options)


def items(name: str) -> list:
    return [*tiny.pictures(), Image.new("RGB", (1, 1))] if AUGMENTATIONS.get(name).kind == "image" else TEXTS


def same(first, second) -> bool:
    if isinstance(first, str):
        return first == second
    return first.size == second.size and np.array_equal(np.asarray(first), np.asarray(second))


def batch(seed: int = 0) -> Batch:
    """Six rows, all with a text, five with a picture; one label not known."""
    torch.manual_seed(seed)
    targets = torch.randint(2, (6, 3)).float()
    targets[2, 1] = torch.nan
    return Batch(
        6,
        {"text": Encoded(torch.randn(6, 4))},
        {"image": {"pixels": torch.randint(256, (5, 3, 16, 12), dtype=torch.uint8)}},
        {"text": torch.ones(6, dtype=torch.bool), "image": torch.tensor([True, True, True, False, True, True])},
        targets,
    )


def test_every_augmentation_is_of_a_kind_that_is_used():
    assert set(of_kind("image", "text", "batch")) == set(AUGMENTATIONS.names())


@pytest.mark.parametrize("name", of_kind("image", "text"))
def test_the_same_draw_gives_the_same(name):
    step = build(name, p=1)
    for seed, item in enumerate(items(name)):
        assert same(step(item, np.random.default_rng(seed)), step(item, np.random.default_rng(seed)))


@pytest.mark.parametrize("name", of_kind("image", "text"))
def test_draws_change_something_and_leave_what_they_were_given(name):
    step = build(name, p=1)
    item = items(name)[0]
    before = item if isinstance(item, str) else item.copy()
    results = [step(item, np.random.default_rng(seed)) for seed in range(12)]
    assert same(item, before)
    assert any(not same(result, item) for result in results)


@pytest.mark.parametrize("name", of_kind("image", "text"))
def test_with_no_chance_nothing_changes(name):
    step = build(name, p=0)
    assert all(same(step(item, np.random.default_rng(0)), item) for item in items(name))


@pytest.mark.parametrize("name", of_kind("image", "text"))
def test_the_chance_is_the_share_that_is_changed(name):
    item = items(name)[0]
    always, half = build(name, p=1), build(name, p=0.5)
    changed = [sum(not same(s(item, np.random.default_rng(n)), item) for n in range(300)) for s in (always, half)]
    assert changed[0] * 0.5 - 45 <= changed[1] <= changed[0] * 0.5 + 45


@pytest.mark.parametrize("name", of_kind("image"))
def test_a_picture_stays_an_rgb_picture(name):
    for seed, picture in enumerate(items(name) * 10):
        changed = build(name, p=1)(picture, np.random.default_rng(seed))
        assert changed.mode == "RGB"
        assert min(changed.size) >= 1


@pytest.mark.parametrize("name", of_kind("text"))
def test_a_text_loses_its_meaning_never_all_of_it(name):
    for seed, text in enumerate(TEXTS * 10):
        words = build(name, p=1)(text, np.random.default_rng(seed)).split()
        assert bool(words) == bool(text.split())
        assert not set(words) - set(text.split()), "no word is made up"


@pytest.mark.parametrize("name", of_kind("batch"))
def test_rows_are_mixed_as_their_targets_are(name):
    before = batch()
    after = mixed(before, build(name, p=1), ["image"], np.random.default_rng(3))
    again = mixed(batch(), build(name, p=1), ["image"], np.random.default_rng(3))
    assert torch.equal(before.targets.nan_to_num(-1), batch().targets.nan_to_num(-1)), "the batch given stays"
    assert torch.equal(after.inputs["image"]["pixels"], again.inputs["image"]["pixels"])
    assert not torch.equal(after.inputs["image"]["pixels"].float(), before.inputs["image"]["pixels"].float())
    assert after.targets.isnan().sum() >= 1
    assert torch.equal(after.present["image"], before.present["image"])
    known = after.targets[~after.targets.isnan()]
    assert ((known >= 0) & (known <= 1)).all()
    assert torch.allclose(after.encoded["text"].pooled[3], before.encoded["text"].pooled[3]), "alone of its kind"
    assert torch.allclose(after.targets[3], before.targets[3])


@pytest.mark.parametrize("name", of_kind("batch"))
def test_a_batch_without_the_chance_stays(name):
    before = batch()
    assert mixed(before, build(name, p=0), ["image"], np.random.default_rng(3)) is before

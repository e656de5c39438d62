"""What is drawn depends on seed, epoch, step and row alone; rows with rare labels come more often."""

from __future__ import annotations

import numpy as np
import pytest

import tiny
from multitag.augment.augmenter import Augmenter
from multitag.augment.crop import Crop
from multitag.augment.repeats import repeat_factors, repeated
from multitag.augment.word_dropout import WordDropout

TEXT = " ".join(map(str, range(40)))
STEPS = [WordDropout(share=0.5), Crop()]


def drawn(seed=0, epoch=0, step=0, places=(0, 1, 2), steps=STEPS) -> list[str]:
    draw = Augmenter(steps, seed, range(10)).draw(epoch, step, places)
    return draw.items("text", [TEXT] * len(places), range(len(places)))


def test_every_row_epoch_step_and_seed_draws_anew():
    every = [*drawn(), *drawn(epoch=1), *drawn(step=1), *drawn(seed=1)]
    assert len(set(every)) == 12
    assert drawn() == drawn()


def test_company_changes_no_draw():
    assert drawn(places=(2, 0))[::-1] == [drawn()[0], drawn()[2]]


def test_a_step_does_not_change_what_another_draws():
    assert drawn(steps=[STEPS[0]]) == drawn()


def test_items_are_matched_to_their_rows():
    draw = Augmenter(STEPS, 0, range(10)).draw(0, 0, (5, 6, 7))
    whole = draw.items("text", [TEXT] * 3, [0, 1, 2])
    assert draw.items("text", [TEXT, TEXT], [0, 2]) == [whole[0], whole[2]]


def test_only_steps_of_the_modality_are_taken():
    draw = Augmenter([STEPS[0]], 0, range(10)).draw(0, 0, (0,))
    picture = tiny.picture(0)
    assert draw.items("image", [picture], [0]) == [picture]


def test_repeat_factors_by_hand():
    targets = np.zeros((100, 3), np.float32)
    targets[:, 0] = 1
    targets[:4, 1] = 1
    targets[0, 2] = 1
    targets[50:, 2] = np.nan
    factors = repeat_factors(targets, 0.16)
    # The second label has a share of .04: sqrt(.16 / .04) = 2; the third 1 of 50 known: sqrt(.16 / .02).
    assert factors[:5] == pytest.approx([8**0.5, 2, 2, 2, 1])
    assert (factors[5:] == 1).all()
    assert (repeat_factors(targets, 0.0) == 1).all()


def test_rows_are_repeated_as_their_factors_say():
    assert repeated(np.ones(4), 0) == [0, 1, 2, 3]
    rows = repeated(np.array([1.0, 3.0, 1.0, 2.0]), 0)
    assert rows == [0, 1, 2, 3, 1, 1, 3]
    many = repeated(np.full(4000, 1.25), 3)
    assert 4900 <= len(many) <= 5100
    assert many == repeated(np.full(4000, 1.25), 3)


def test_copies_of_a_row_are_changed_differently():
    targets = np.zeros((10, 1), np.float32)
    targets[0] = 1
    augmenter = Augmenter.of(STEPS, targets, rare=0.4, seed=0)
    assert augmenter.rows == [*range(10), 0]
    first, second = augmenter.draw(0, 0, (0, 10)).items("text", [TEXT, TEXT], [0, 1])
    assert first != second

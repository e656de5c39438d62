"""The books: the best epoch, the end of a stage, and what is done."""

from __future__ import annotations

from collections.abc import Sequence

from multitag.checkpoints import Standing
from multitag.training.epochs import close_epoch, is_due, rows_done, wins


def closed(scores: Sequence[float | None], *, lengths: Sequence[int], patience: int) -> tuple[Standing, list[int]]:
    """The books after epochs of these scores, and the epochs after which another stage began."""
    standing, changes = Standing(), []
    for score in scores:
        assert not standing.finished
        epoch = standing.epoch
        if close_epoch(standing, {"epoch": epoch + 1}, score, lengths=lengths, patience=patience):
            changes.append(epoch)
    return standing, changes


def test_each_stage_has_its_own_patience_and_the_best_is_of_all() -> None:
    scores = [0.1, 0.5, 0.4, 0.3, 0.2, 0.3, 0.4, 0.6, 0.5, 0.5]
    standing, changes = closed(scores, lengths=(10, 10, 10), patience=2)
    assert changes == [3, 5]  # two epochs without a better one; then two that do not reach the first stage's best
    assert standing.finished
    assert (standing.best_epoch, standing.best_score) == (7, 0.6)
    assert standing.useful == [2, 0, 2]
    assert (standing.stage, standing.stage_epoch, standing.epoch) == (2, 4, 10)


def test_a_stage_ends_after_its_epochs() -> None:
    standing, changes = closed([0.1, 0.2, 0.3], lengths=(1, 2), patience=5)
    assert changes == [0]
    assert standing.finished
    assert standing.useful == [1, 2]


def test_without_scores_every_epoch_is_useful() -> None:
    standing, changes = closed([None] * 5, lengths=(2, 3), patience=1)
    assert changes == [1]
    assert standing.finished
    assert (standing.useful, standing.best_epoch) == ([2, 3], 4)


def test_a_later_stage_that_finds_nothing_is_not_among_the_useful() -> None:
    standing, _ = closed([0.9, 0.1, 0.2], lengths=(1, 2), patience=5)
    assert standing.useful == [1]


def test_a_score_that_is_not_defined_wins_only_at_first() -> None:
    nan = float("nan")
    assert wins(Standing(), nan)
    assert wins(Standing(best_epoch=0, best_score=nan), 0.1)
    assert not wins(Standing(best_epoch=0, best_score=0.1), nan)
    assert not wins(Standing(best_epoch=0, best_score=0.1), 0.1)


def test_rows_done_count_epochs_that_a_stage_did_not_need() -> None:
    assert rows_done(Standing(stage=1, stage_epoch=1, step=2), 10, 4, (5, 3)) == 50 + 10 + 8
    assert rows_done(Standing(stage=1, stage_epoch=1, step=3), 10, 4, (5, 3)) == 50 + 10 + 10
    assert rows_done(Standing(stage=1, stage_epoch=1, finished=True), 10, 4, (5, 3)) == 80


def test_the_last_epoch_is_the_best_until_one_is_looked_at() -> None:
    standing, _ = closed([None, None, 0.3, None, None, 0.2], lengths=(6,), patience=6)
    assert (standing.best_epoch, standing.best_score) == (2, 0.3)
    assert standing.finished
    standing, _ = closed([None, None], lengths=(6,), patience=6)
    assert (standing.best_epoch, standing.best_score) == (1, None)


def test_held_out_rows_are_looked_at_after_every_so_many_epochs_and_after_the_last() -> None:
    assert [is_due(epoch, 8, 3) for epoch in range(8)] == [False, False, True, False, False, True, False, True]
    assert all(is_due(epoch, 5, 1) for epoch in range(5))
    assert [is_due(epoch, 2, 4) for epoch in range(2)] == [False, True]

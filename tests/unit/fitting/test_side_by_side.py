"""Networks trained side by side: the very run of one after the other, stopped and resumed alike."""

from __future__ import annotations

import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from multitag import memory
from multitag.classifier import Classifier
from multitag.config import Config
from multitag.deadline import Deadline, OutOfTime
from multitag.errors import DataError, MultitagError
from multitag.features.rows import check_rows
from multitag.features.store import FeatureStore
from multitag.fitting import side_by_side
from multitag.fitting.clock import Clock
from multitag.fitting.fitter import Fitter, Needed
from multitag.fitting.limits.budget import Cost
from multitag.fitting.limits.choices import choices_of
from multitag.fitting.limits.costs import cost_of
from multitag.fitting.limits.limit import Limit
from multitag.fitting.side_by_side import Piece, at_a_time, pace_ahead, train_ahead
from multitag.interrupts import Interrupted
from multitag.progress import Advance, silent
from multitag.runs.folder import CHECKPOINTS
from multitag.types import LabelSpace
from multitag.workers import Failure
from training_support import contents, quick, scenes, unfrozen

TRAIN = {"epochs": 3, "batch_size": 16, "encoder_lr": 1e-3, "modality_dropout": 0.3, "checkpoint_seconds": 0}


def tuning(models: dict[str, Path], **train: Any) -> Config:
    """A text encoder that trains, in three folds."""
    return quick(encoders=unfrozen(models["bert"]), head={"name": "mlp"}, train={**TRAIN, "folds": 3, **train})


@pytest.fixture
def fitter(models: dict[str, Path], own_store: Path, tmp_path: Path) -> Iterator[Fitter]:
    space = LabelSpace.from_samples(scenes())
    (tmp_path / CHECKPOINTS).mkdir()
    with FeatureStore(own_store) as store:
        yield Fitter(tuning(models), space, store, tmp_path, resume=False, clock=Clock(), jobs=2)


def pieces(fitter: Fitter, count: int = 2) -> list[Piece]:
    rows = check_rows(scenes(), fitter.config)
    return [
        Piece(f"fold{n}", rows.take(range(n, 40)), rows.take(range(n)), n, named={"model": f"fold{n}"})
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("changes", [{}, {"seeds": 2, "folds": 2}], ids=["three folds", "two folds of two seeds"])
def test_it_is_the_run_of_one_after_the_other(
    changes: dict[str, Any],
    models: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if changes:  # once they are started as users' are
        request.getfixturevalue("forked")
    here, train = list[str](), Fitter.train

    def watched(self: Fitter, name: str, *args: Any, known: Any = None, **options: Any) -> Any:
        if known is None:
            here.append(name)
        return train(self, name, *args, known=known, **options)

    config, told, totals = tuning(models, **changes), list[dict[str, Any]](), list[tuple[str, int, int]]()

    @contextmanager
    def progress(what: str, total: int, /) -> Iterator[Advance]:
        done = [0]

        def advance(more: int) -> None:
            done[0] += more

        yield advance
        totals.append((what, total, done[0]))

    Classifier(config).fit(scenes(), out=tmp_path / "alone")
    monkeypatch.setattr(Fitter, "train", watched)
    Classifier(config).fit(scenes(), out=tmp_path / "two", jobs=2, on_epoch=told.append, progress=progress)
    assert contents(tmp_path / "two") == contents(tmp_path / "alone")
    assert here == ([] if changes else ["fold3"]), "the one that is left has all cores, in this process"
    assert sorted((row["model"], row["epoch"]) for row in told) == sorted(
        (row["model"], row["epoch"]) for row in contents(tmp_path / "two")["history"]
    )
    ahead = [entry for entry in totals if "side by side: training" in entry[0]]
    of = 4 if changes else 3
    assert [what for what, *_ in ahead] == [
        f"networks {first} to {first + 1} of {of}, side by side: training" for first in range(1, of, 2)
    ]
    for _, total, done in ahead:
        assert abs(total - done) <= 3, "three epochs of folds that differ by a row"


@pytest.mark.usefixtures("forked")
def test_one_that_is_left_over_trains_beside_the_last_ones(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, stages = tuning(models, folds=3), list[str]()

    @contextmanager
    def progress(what: str, total: int, /) -> Iterator[Advance]:
        stages.append(what)
        yield lambda done: None

    monkeypatch.setattr(side_by_side, "WORTH", 0)
    monkeypatch.setattr(side_by_side, "threads", lambda: 2)
    for free, expected in ((15 << 30, [3]), (14 << 30, [2])):
        monkeypatch.setattr(side_by_side, "free_memory", lambda free=free: free)
        stages.clear()
        out = tmp_path / str(free)
        Classifier(config).fit(scenes(), out=out, jobs=None, progress=progress)
        ahead = [stage for stage in stages if "side by side: training" in stage]
        assert ahead == [f"networks 1 to {count} of 3, side by side: training" for count in expected]
    assert contents(tmp_path / str(15 << 30)) == contents(tmp_path / str(14 << 30))


@pytest.mark.usefixtures("forked")
def test_stopped_it_goes_on_where_each_was(models: dict[str, Path], tmp_path: Path) -> None:
    config, told = tuning(models, epochs=6), list[dict[str, Any]]()

    def press(row: dict[str, Any]) -> None:
        told.append(row)
        if len(told) == 1:
            signal.raise_signal(signal.SIGINT)

    Classifier(config).fit(scenes(), out=tmp_path / "whole", jobs=2)
    with pytest.raises(Interrupted, match=r"fold1: training stopped in epoch .*; fold2: .*go on with --resume"):
        Classifier(config).fit(scenes(), out=tmp_path / "cut", jobs=2, on_epoch=press)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(told) < 12, "they were stopped before their ends"
    Classifier(config).fit(scenes(), out=tmp_path / "cut", jobs=2, resume=True, on_epoch=told.append)
    whole = contents(tmp_path / "whole")
    assert contents(tmp_path / "cut") == whole
    assert len(told) == len(whole["history"]), "no epoch was trained twice"


@pytest.mark.usefixtures("forked")
def test_a_training_that_comes_to_nothing_is_told(fitter: Fitter) -> None:
    train = fitter.config.train.model_copy(update={"lr": 1e30, "encoder_lr": 1e30, "clip": 1e30})
    diverging = replace(fitter, config=fitter.config.model_copy(update={"train": train}))
    with pytest.raises(MultitagError, match=r"training has diverged.* Fix: a lower learning rate.*'float32'$"):
        train_ahead(diverging, pieces(fitter), progress=silent, on_epoch=lambda row: None)


def test_an_error_is_told_as_what_it_is() -> None:
    told = [side_by_side._Ended(DataError("no text")), side_by_side._Ended(Interrupted("stopped"))]
    for ended, kind in zip(pickle.loads(pickle.dumps(told)), (DataError, Interrupted), strict=True):
        with pytest.raises(kind) as caught:
            side_by_side._checked(ended)
        assert caught.value.exit_code == kind.exit_code
    with pytest.raises(MultitagError, match=r"by signal 9.*\n.*--jobs 1"):
        side_by_side._checked(Failure("the worker process ended by signal 9"))


@pytest.mark.usefixtures("forked")
def test_late_it_ends_with_what_it_has(fitter: Fitter, models: dict[str, Path]) -> None:
    limit = Limit(Deadline.after(8.0), needed=True, networks=2)
    late = replace(fitter, config=tuning(models, epochs=10**5, patience=10**5), limit=limit)
    told = list[dict[str, Any]]()
    found = train_ahead(late, pieces(fitter), progress=silent, on_epoch=told.append)
    assert {name: logits.shape for name, logits in found.items()} == {"fold1": (1, 3), "fold2": (2, 3)}
    assert {row["model"] for row in told} == {"fold1", "fold2"}
    assert limit.deadline.left > -20
    assert (limit.networks, limit.begun) == (0, True)


@pytest.mark.usefixtures("forked")
def test_too_late_for_anything_it_is_dropped(fitter: Fitter) -> None:
    late = replace(fitter, limit=Limit(Deadline.after(0.0), needed=False, networks=2))
    with pytest.raises(OutOfTime, match="no time is left"):
        train_ahead(late, pieces(fitter), progress=silent, on_epoch=lambda row: None)


@pytest.mark.parametrize("head", ["mlp", "label_names"])
def test_what_is_encoded_before_is_all_that_a_training_reads_and_the_same(
    head: str, fitter: Fitter, models: dict[str, Path], tmp_path: Path
) -> None:
    trains = {"frozen": False, "first_trained": 1} if head == "mlp" else {}
    text = {"name": "transformers_text", "model": str(models["bert"]), **trains}
    config = quick(encoders={"text": text}, fusion={"name": "single"}, head={"name": head})
    piece = pieces(fitter, 1)[0]
    with FeatureStore(tmp_path / "first") as first, FeatureStore(tmp_path / "by the training") as other:
        ahead, alone = (replace(fitter, config=config, store=store, shared={}) for store in (first, other))
        ahead.encode(piece.rows, piece.held, progress=silent)
        stored = entries(first)
        for each in (ahead, alone):
            each._ready(piece.rows, piece.held, 0, None, silent)
        assert stored == entries(first) == entries(other)
        assert stored


def entries(store: FeatureStore) -> dict[bytes, bytes]:
    with store._env.transaction() as transaction:
        return {bytes(key): bytes(value) for key, value in transaction.cursor()}


def test_its_pace_is_looked_at_side_by_side(fitter: Fitter) -> None:
    needed = pace_ahead(fitter, pieces(fitter)[0], 2, seconds=0.2, progress=silent)
    assert needed.lengths == (3,)
    assert 0 < needed.epoch < 10
    assert needed.fixed > 1, "to begin two processes takes seconds"
    assert fitter.clock.seconds["planning"] > 0


def test_how_many_there_are_at_a_time(fitter: Fitter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "threads", lambda: 4)
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 16 << 30)
    auto = replace(fitter, jobs=None)
    assert at_a_time(auto, 5, 2000) == 3, "15 GB for three"
    assert at_a_time(auto, 2, 2000) == 2
    assert at_a_time(auto, 5, 1999) == 1, "less than 6,000 rows in three epochs"
    assert at_a_time(replace(auto, most=(2,)), 5, 2000) == 1
    frozen = quick(train={"folds": 3})
    assert at_a_time(replace(auto, config=frozen), 5, 10**6) == 1
    assert at_a_time(replace(auto, folder=None), 5, 2000) == 1
    assert at_a_time(replace(fitter, jobs=2), 5, 3) == 2
    monkeypatch.setattr(side_by_side, "free_memory", lambda: 1 << 30)
    assert at_a_time(auto, 5, 2000) == 1
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert at_a_time(replace(fitter, jobs=2), 5, 2000) == 1


def test_costs_are_of_turns(models: dict[str, Path]) -> None:
    needed = Needed(1.0, 10.0, (4,))
    config = tuning(models, folds=5)
    assert cost_of(config, needed, students=False) == Cost(5.0, 50.0, (4,))
    cost = cost_of(config, needed, students=False, at_a_time=2)
    assert cost == Cost(3.0, 30.0, (4,), 2)
    joined = cost_of(config, needed, students=False, at_a_time=2, takes_one_more=True)
    assert joined == Cost(2.5, 25.0, (4,), 2, True), "two, then three at a time in half as long again"
    assert [joined.turns(count) for count in (1, 2, 3, 4, 5)] == [1, 1, 1.5, 2, 2.5]
    assert [joined._replace(at_a_time=4).turns(count) for count in (3, 4, 5, 6)] == [1, 1, 1.25, 2]
    few: Any = SimpleNamespace(pool=None, every=range(4999))
    # A fold of 5 goes through 4/5 of the rows; of 4, through 3/4: two turns of 10 * (3/4) / (4/5) seconds.
    epochs = [choice.cost.epoch for choice in choices_of(config, cost, few)]
    expected = [30.0, 2 * 10 * (3 / 4) / (4 / 5), 2 * 10 * (2 / 3) / (4 / 5), 10 * (1 / 2) / (4 / 5)]
    assert epochs == pytest.approx(expected)
    # With 5,000 rows there is a choice more: the first two of five folds, in one turn.
    *_, last = choices_of(config, cost, SimpleNamespace(pool=None, every=range(5000)))  # type: ignore[arg-type]
    assert (last.first, last.folds, last.networks, last.cost.epoch) == (2, None, 2, 10.0)


def test_a_store_is_opened_where_it_is_sent(tmp_path: Path) -> None:
    with FeatureStore(tmp_path) as store, pickle.loads(pickle.dumps(store)) as other:
        assert other.path == store.path


def test_memory_is_what_a_container_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of files count as used there, and are given up as soon as somebody wants the memory."""
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    whole = memory.free_memory()
    assert whole > 1 << 20
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("3000\n")
    assert memory.free_memory() == 2000
    (tmp_path / "memory.stat").write_text("anon 1500\nfile 1400\ninactive_file 700\nactive_file 500\nshmem 200\n")
    assert memory.free_memory() == 3200
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_memory() > 1 << 20


def test_memory_is_what_an_older_container_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/memory.limit_in_bytes").write_text("5000\n")
    (tmp_path / "memory/memory.usage_in_bytes").write_text("3000\n")
    (tmp_path / "memory/memory.stat").write_text("inactive_file 1\ntotal_inactive_file 700\ntotal_active_file 500\n")
    assert memory.free_memory() == 3200
    (tmp_path / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert 1 << 20 < memory.free_memory() < 1 << 60, "no limit: what the machine has"

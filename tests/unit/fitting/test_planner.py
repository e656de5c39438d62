"""What a time limit decides, on a clock that only the training's own steps set on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from memes import memes, write
from multitag.classifier import Classifier
from multitag.combined import Combined
from multitag.config import Config
from multitag.data.split import folds
from multitag.data.table import read_table
from multitag.deadline import Deadline, OutOfTime
from multitag.errors import ConfigError, RunError
from multitag.features.rows import check_rows
from multitag.fitting.copies import row_keys
from multitag.fitting.fit import fit
from multitag.fitting.fitted import Fitted
from multitag.fitting.fitter import Fitter, Needed
from multitag.fitting.limits import choices
from multitag.fitting.limits.budget import Cost
from multitag.fitting.limits.choices import choose
from multitag.fitting.limits.plan import Part
from multitag.fitting.limits.planner import Planner
from multitag.fitting.limits.watched import TooLong
from multitag.networks import Networks
from multitag.runs.folder import CHECKPOINTS, PLAN
from multitag.tagger import SpanTagger
from multitag.training.run import Run
from training_support import quick, scenes

MEMBERS: dict[str, Any] = {"a": {}, "b": {"seed": 1}, "c": {"seed": 2}}
TRAIN = {"epochs": 10, "batch_size": 40, "monitor": "last", "patience": 10}
"""One step an epoch."""


class World:
    """A clock, and what each member takes: seconds beside its epochs, and of an epoch."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.patch = 0.0, monkeypatch
        self.needs: dict[str, tuple[float, float]] = {}
        self.real: dict[str, float] = {}
        self.encoding: dict[str, float] = {}
        self.encoded: dict[str, float] = {}
        self.paced: list[str] = []
        self.busy: dict[str, list[float]] = {}
        self.at = ""
        step, train = Run.take_step, Fitter.train

        def ticking(run: Run, chosen: list[int]) -> float:
            self.now += self.real.get(self.at, self.needs.get(self.at, (0.0, 0.0))[1])
            return step(run, chosen)

        def training(fitter: Fitter, name: str, *args: Any, **options: Any) -> Any:
            self.at = fitter.prefix.rstrip("-")
            return train(fitter, name, *args, **options)

        def pace(fitter: Fitter, rows: Any, held: Any, **options: Any) -> Needed:
            name = fitter.prefix.rstrip("-")
            self.paced.append(name)
            if name in self.encoding:
                raise TooLong("encoding images (image)", self.encoding[name], 1.0)
            spent = fitter.clock.seconds
            spent["encoding"] = spent.get("encoding", 0.0) + self.encoded.pop(name, 0.0)  # once: then it is stored
            lengths = fitter.config.train.for_rows(len(rows)).lengths
            fixed, epoch = self.needs.get(name, (0.0, 0.0))
            slower = self.busy.get(name, [1.0])
            return Needed(fixed, epoch * (slower.pop(0) if len(slower) > 1 else slower[0]), lengths)

        monkeypatch.setattr(Run, "take_step", ticking)
        monkeypatch.setattr(Fitter, "train", training)
        monkeypatch.setattr(Fitter, "pace", pace)

    def __call__(self) -> float:
        return self.now

    def fit(self, limit: float | None, config: Config, **options: Any) -> Fitted:
        deadline = None if limit is None else Deadline.after(limit, self)
        self.lines: list[str] = []
        return fit(config, read_table(scenes()), deadline=deadline, on_plan=self.lines.append, rounds=2, **options)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def ensemble(**train: Any) -> Config:
    return quick(train={**TRAIN, **train}, ensemble={"combiner": {"name": "stacking"}, "members": MEMBERS})


def parts(fitted: Fitted) -> dict[str, Any]:
    return {name: (part.status, part.epochs) for name, part in fitted.plan.parts.items()}


def trained(fitted: Fitted) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in fitted.history:
        counts[row.get("member", "")] = counts.get(row.get("member", ""), 0) + 1
    return counts


def test_what_fits_is_trained_whole(world: World) -> None:
    world.needs = dict.fromkeys("abc", (0, 1))
    fitted = world.fit(60, ensemble())
    assert parts(fitted) == dict.fromkeys("abc", ("whole", (10,)))
    assert trained(fitted) == {"a": 10, "b": 10, "c": 10}
    assert fitted.plan.next is None


def test_what_does_not_is_shortened_or_left_out(world: World) -> None:
    """Of 100 s, 95 are given away, 5 % of what is left kept back each time."""
    world.needs = {"a": (0, 5), "b": (0, 6), "c": (0, 30)}
    fitted = world.fit(100, ensemble())
    # a: 50 s of 90.25. b: 45 s are left, 42.75 to give away: 7 epochs of 6 s. c: 3 s are left.
    assert parts(fitted) == {"a": ("whole", (10,)), "b": ("shortened", (7,)), "c": ("left_out", ())}
    assert trained(fitted) == {"a": 10, "b": 7}
    assert list(fitted.members) == ["a", "b"]
    assert fitted.pipeline.config.ensemble is not None
    assert list(fitted.pipeline.config.ensemble.members) == ["a", "b"]
    assert fitted.plan.next == ("c", 300)
    assert world.lines == [
        "'a': about 50 s; 95 s are left for it",
        "'b': about 60 s; 7 of 10 epochs, about 42 s; 45 s are left for it",
        "left out: 'c' would take about 5 min (2 min shortened), 3 s are left",
    ]
    assert fitted.to_dict()["plan"]["next"] == {"member": "c", "seconds": 300.0}
    assert fitted.plan.lines()[-1] == "next: 'c', about 5 min more"


LSTM = {"text": {"name": "lstm", "frozen": False, "embedding": 4, "hidden": 4}}


def tuning(**train: Any) -> Config:
    """a trains a head; b and c train an encoder too. Four folds of 40 rows, one step an epoch."""
    members = {"a": {}, "b": {"encoders": LSTM}, "c": {"encoders": LSTM}}
    train = {**TRAIN, "folds": 4, **train}
    return quick(train=train, ensemble={"combiner": {"name": "stacking"}, "members": members})


def folds_of(fitted: Fitted) -> dict[str, int | None]:
    return {name: part.folds for name, part in fitted.plan.parts.items()}


def test_one_that_trains_encoders_leaves_an_equal_part_to_the_next(world: World) -> None:
    """b takes 60 s in four folds, of 86 or so for b and c. In 3 folds it goes through 2/3 of the rows."""
    world.needs = {"a": (0, 0.1), "b": (0, 1.5), "c": (0, 1)}
    fitted = world.fit(100, tuning())
    assert folds_of(fitted) == {"a": None, "b": 3, "c": None}, "c takes 40 s, and has 43 for itself"
    assert fitted.plan.parts["b"].estimate == pytest.approx(40)
    assert len({row["model"] for row in fitted.history if row["member"] == "b"}) == 3
    assert len({row["model"] for row in fitted.history if row["member"] == "a"}) == 4
    assert world.lines[1].startswith("'b': about 40 s in 3 folds; ")
    assert fitted.plan.lines()[1].startswith("'b': all epochs, in 3 folds, ")
    assert fitted.networks == 4 + 3 + 4


def test_with_time_for_all_no_fold_is_spared(world: World) -> None:
    world.needs = {"a": (0, 0.1), "b": (0, 1), "c": (0, 1)}
    assert folds_of(world.fit(1000, tuning())) == {"a": None, "b": None, "c": None}


def test_fewer_folds_come_before_fewer_epochs(world: World) -> None:
    world.needs = {"a": (0, 0.1), "b": (0, 4), "c": (0, 100)}
    fitted = world.fit(100, tuning())
    # 160 s in four folds, 106.7 in three, of about 86: 8 of 10 epochs of 10.67 s.
    assert parts(fitted)["b"] == ("shortened", (8,))
    assert folds_of(fitted)["b"] == 3


def test_as_many_folds_as_there_is_time_for(world: World) -> None:
    """80 s in six folds, 64 in five; a half of 95 or so is b's: 48 in four."""
    world.needs = {"a": (0, 0.1), "b": (0, 80 / 60), "c": (0, 0.1)}
    fitted = world.fit(115, tuning(folds=6))
    assert folds_of(fitted)["b"] == 4
    assert parts(fitted)["b"] == ("whole", (10,))


def test_two_folds_where_three_take_too_long_with_fewer_epochs(world: World) -> None:
    """4 epochs of 10 are worth it: 4 x 4 x 7 s in four folds, 75 in three, 37 in two; all in two would be 93."""
    world.needs = {"a": (0, 0.1), "b": (0, 7), "c": (0, 0.1)}
    fitted = world.fit(70, tuning())
    assert folds_of(fitted)["b"] == 2
    assert parts(fitted)["b"] == ("shortened", (6,))
    assert len({row["model"] for row in fitted.history if row["member"] == "b"}) == 2


def test_the_first_folds_alone_where_their_rows_are_enough(world: World, tmp_path: Path) -> None:
    """b takes 100 s in five folds, 50 in three, 40 in the first two of five; c 25. Of some 86, a half is b's."""
    world.patch.setattr(choices, "FIRST_ROWS", 10)
    world.needs = {"a": (0, 0.1), "b": (0, 2), "c": (0, 0.5)}
    fitted = world.fit(100, tuning(folds=5), folder=tmp_path)
    assert {name: (part.folds, part.first) for name, part in fitted.plan.parts.items()} == {
        "a": (None, None),
        "b": (None, 2),
        "c": (None, None),
    }
    assert world.lines[1].startswith("'b': about 40 s in the first 2 folds alone; ")
    assert fitted.plan.lines()[1].startswith("'b': all epochs, the first 2 folds alone, ")
    assert fitted.networks == 5 + 2 + 5
    # All are joined and scored on the rows of these two folds.
    rows = check_rows(scenes(), fitted.pipeline.config)
    parts = folds(rows.samples, fitted.pipeline.space, 5, fitted.pipeline.config.seed, copies=rows.hashes)[:2]
    answered = np.sort(np.concatenate([part.held_indices for part in parts]))
    assert len(answered) == fitted.evaluation.rows == fitted.rows["valid"] == 16
    assert np.array_equal(fitted.pipeline.held_out.rows, row_keys(rows)[answered])
    assert fitted.members["a"].rows == fitted.members["b"].rows == 16
    # Each of these by the network that did not see it, whatever is left out.
    scorer = fitted.pipeline.scorer
    assert isinstance(scorer, Combined)
    own = scorer.members["b"]
    assert isinstance(own.scorer, Networks)
    for part, network in zip(parts, own.scorer.each, strict=True):
        said = Networks(own.config, 3, (network,)).logits(rows.take(part.held_indices.tolist()))
        at = np.searchsorted(answered, part.held_indices)
        assert np.allclose(own.held_out.logits[at], said, rtol=0, atol=1e-5)
    assert np.array_equal(scorer.members["a"].held_out.rows, row_keys(rows)), "a has answered all"


def test_a_resumed_one_keeps_its_first_folds(world: World, tmp_path: Path) -> None:
    world.patch.setattr(choices, "FIRST_ROWS", 10)
    world.needs = {"a": (0, 0.1), "b": (0, 2), "c": (0, 0.5)}
    begun = Planner(Deadline.after(100, world), tmp_path, resume=False, tell=lambda line: None)
    begun.plan.parts["b"] = Part("whole", (10,), (10,), first=2)
    (tmp_path / CHECKPOINTS).mkdir()
    begun.plan.keep(tmp_path / CHECKPOINTS / PLAN)
    again = Planner(Deadline.after(100, world), tmp_path, resume=True, tell=lambda line: None)
    assert again.plan.parts["b"].first == 2


def pictures(size: int) -> Config:
    image = {"name": "efficientnet_lite", "variant": "lite0", "size": size, "pool": "mean", "frozen": False}
    return quick(encoders={"image": image}, fusion={"name": "single"}, train={**TRAIN, "folds": 5})


def test_time_is_shared_as_pictures_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """30 s in five folds, 15 in three, 12 in the first two; four times as much of pictures of four times the places."""
    few: Any = SimpleNamespace(pool=None, every=range(40))
    monkeypatch.setattr(choices, "FIRST_ROWS", 10)

    def folds_for(seconds: float) -> tuple[int | None, int | None]:
        choice = choose(pictures(64), Cost(0.0, 3.0, (10,)), few, seconds, to_come=[pictures(128)])
        assert choice is not None
        return choice.folds, choice.first

    assert folds_for(151) == (None, None), "a fifth of 150 s is enough for five folds"
    assert folds_for(140) == (4, None)
    assert folds_for(76) == (3, None)
    assert folds_for(61) == (None, 2)
    assert folds_for(49) == (None, 2), "36 s are left for the next one, three quarters of what it takes in two folds"
    assert folds_for(46) == (None, None), "what the first two folds would leave is of no use to it"
    assert folds_for(29) == (4, None)
    assert folds_for(22) == (3, None)


def test_the_next_one_must_be_encoded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """b takes 12 s in the first two folds; c, of four times the places, 48, and 12 s to encode where b takes 3."""
    monkeypatch.setattr(choices, "FIRST_ROWS", 10)
    few: Any = SimpleNamespace(pool=None, every=range(40))

    def folds_for(seconds: float) -> tuple[int | None, int | None]:
        choice = choose(pictures(64), Cost(0.0, 3.0, (10,)), few, seconds, to_come=[pictures(128)], encoding=3.0)
        assert choice is not None
        return choice.folds, choice.first

    assert folds_for(61) == (None, 2), "12 + 36 + 12 s"
    assert folds_for(59) == (None, None)


def test_what_was_encoded_before_a_second_look_counts(world: World) -> None:
    """40 s in four folds, 26.7 in three; 68 are left: 41.3 for c, which trains for 20 and is encoded for 22, or 0."""
    world.needs = {"a": (0, 0.1), "b": (0, 1), "c": (0, 0.1)}
    world.busy = {"b": [2.0, 1.0]}  # so that there is a second look
    assert folds_of(world.fit(80, tuning()))["b"] == 3
    world.busy, world.encoded = {"b": [2.0, 1.0]}, {"b": 22.0}
    assert folds_of(world.fit(80, tuning()))["b"] is None, "all that is left is for b"


def test_what_cannot_fit_by_what_one_like_it_takes_is_not_looked_at(world: World) -> None:
    """b and c are alike: 60 s in four folds, of some 62; 4 of 10 epochs in two folds take 8 s, and 2 are left."""
    world.needs = {"a": (0, 0.1), "b": (0, 1.5), "c": (0, 1.5)}
    fitted = world.fit(73, tuning())
    assert world.paced == ["a", "b"]
    assert parts(fitted) == {"a": ("whole", (10,)), "b": ("whole", (10,)), "c": ("left_out", ())}
    assert fitted.plan.next == ("c", 60)
    assert world.lines[-1] == "left out: 'c' would take about 60 s (8 s shortened), 5 s are left"
    world.paced.clear()
    assert parts(world.fit(1000, tuning())) == dict.fromkeys("abc", ("whole", (10,)))
    assert world.paced == ["a", "b", "c"]


def test_what_one_takes_is_foreseen_by_one_that_differs_in_its_pictures_alone(world: World) -> None:
    deciding = Planner(Deadline.after(100, world), None, resume=False, tell=print)
    deciding._known = [(pictures(64), Cost(2.0, 3.0, (10,)))]
    assert deciding._foreseen(pictures(128)) == Cost(2.0, 12.0, (10,))
    assert deciding._foreseen(pictures(128).changed(["train.epochs=9"])) is None
    assert deciding._foreseen(pictures(128).changed(["encoders.image.frozen=true"])) is None
    assert deciding._foreseen(tuning()) is None


def test_the_first_folds_alone_are_for_many_rows(world: World) -> None:
    world.needs = {"a": (0, 0.1), "b": (0, 2), "c": (0, 0.5)}
    fitted = world.fit(100, tuning(folds=5))
    assert fitted.plan.parts["b"].first is None
    assert fitted.evaluation.rows == 40


def test_what_does_not_fit_is_timed_again_for_the_machine_may_have_been_busy(world: World) -> None:
    """b takes 40 s in four folds; a first look says 200, which would be 4 epochs in two folds."""
    world.needs, world.busy = {"a": (0, 0.1), "b": (0, 1), "c": (0, 1)}, {"b": [5.0, 1.0]}
    fitted = world.fit(150, tuning())
    assert world.paced == ["a", "b", "b", "c"]
    assert folds_of(fitted)["b"] is None
    assert parts(fitted)["b"] == ("whole", (10,))


def test_of_two_looks_the_quicker_counts(world: World) -> None:
    world.needs, world.busy = {"a": (0, 0.1), "b": (0, 1.5), "c": (0, 1)}, {"b": [1.0, 5.0]}
    assert folds_of(world.fit(100, tuning()))["b"] == 3


def test_a_resumed_one_keeps_its_folds(world: World, tmp_path: Path) -> None:
    world.needs = {"a": (0, 0.1), "b": (0, 1.5), "c": (0, 0.1)}
    with pytest.MonkeyPatch.context() as patch:
        train = Fitter.train

        def failing(fitter: Fitter, name: str, *args: Any, **options: Any) -> Any:
            if fitter.prefix == "b-" and name == "fold2":
                raise RuntimeError("the power is gone")
            return train(fitter, name, *args, **options)

        patch.setattr(Fitter, "train", failing)
        with pytest.raises(RuntimeError):
            world.fit(100, tuning(), folder=tmp_path)
    fitted = world.fit(None, tuning(), folder=tmp_path, resume=True)
    assert len({row["model"] for row in fitted.history if row["member"] == "b"}) == 3


def test_one_that_is_left_out_does_not_keep_a_quicker_one_away(world: World) -> None:
    world.needs = {"a": (0, 1), "b": (0, 100), "c": (0, 1)}
    assert parts(world.fit(60, ensemble())) == {
        "a": ("whole", (10,)),
        "b": ("left_out", ()),
        "c": ("whole", (10,)),
    }


def test_one_that_is_slower_than_was_thought_is_dropped(world: World) -> None:
    """b has 47.5 - 10 s = 37.5 s left and needs 4 epochs at least; at 13 s an epoch it comes to 3."""
    world.needs, world.real = {"a": (0, 1), "b": (0, 2), "c": (0, 1)}, {"b": 13}
    fitted = world.fit(50, ensemble())
    assert parts(fitted) == {"a": ("whole", (10,)), "b": ("dropped", (10,)), "c": ("left_out", ())}
    assert list(fitted.members) == ["a"]
    assert world.now <= 50 * 1.1
    assert "dropped: 'b' was not done in time" in world.lines
    assert fitted.plan.next == ("b", 20)


def test_one_that_is_a_little_slower_keeps_what_it_has(world: World) -> None:
    world.needs, world.real = {"a": (0, 1), "b": (0, 2), "c": (0, 1)}, {"b": 5}
    fitted = world.fit(50, ensemble())
    assert trained(fitted) == {"a": 10, "b": 8}  # 40 s: past the 37.5 s that were left


def test_where_networks_of_it_are_done_an_epoch_of_the_last_is_enough(world: World) -> None:
    """b's folds are thought to take 40 s. The machine is slow from the second on: that has 2 epochs, 4 were asked for.

    Nothing would be left of the first fold's 20 s if b were dropped with it.
    """
    world.needs = {"a": (0, 1), "b": (0, 2), "c": (0, 1)}
    train, paces = Fitter.train, iter([2.0, 15.0])

    def slower(fitter: Fitter, name: str, *args: Any, **options: Any) -> Any:
        if fitter.prefix == "b-":
            world.real = {"b": next(paces)}
        return train(fitter, name, *args, **options)

    world.patch.setattr(Fitter, "train", slower)
    fitted = world.fit(72, ensemble(folds=2))
    assert parts(fitted)["a"] == ("whole", (10,))
    assert parts(fitted)["b"] == ("whole", (10,))
    assert [row["epoch"] for row in fitted.history if row.get("member") == "b"] == [*range(1, 11), 1, 2]
    assert list(fitted.members) == ["a", "b"]


def test_the_first_is_shortened_to_what_fits_and_stops_in_time(world: World) -> None:
    world.needs, world.real = {"": (0, 20)}, {"": 35}
    fitted = world.fit(100, quick(train=TRAIN))
    assert parts(fitted) == {"": ("shortened", (4,))}  # 90.25 s
    assert trained(fitted) == {"": 3}
    assert json.loads(json.dumps(fitted.to_dict()["plan"]))["members"]["model"]["epochs"] == [4]


def test_folds_have_like_parts_of_the_time(world: World) -> None:
    world.needs, world.real = {"": (0, 2)}, {"": 4}
    fitted = world.fit(100, quick(train={**TRAIN, "folds": 4}))
    assert parts(fitted) == {"": ("whole", (10,))}  # 4 x 20 s
    assert fitted.networks == 4
    by_fold = [sum(row["model"] == f"fold{k}" for row in fitted.history) for k in range(1, 5)]
    # 95 s: 23.75 s for the first, 6 epochs of 4 s; of the 71 s then left a third, and so on
    assert by_fold == [6, 6, 6, 6]


def test_where_there_is_no_time_for_folds_one_network_is_trained(world: World) -> None:
    world.needs = {"a": (0, 5), "b": (0, 5), "c": (0, 50)}
    fitted = world.fit(50, ensemble(folds=5))
    # In folds a third of the epochs would be 4 x 5 x 5 s; alone it has 45.1 s, 9 epochs of 5 s.
    assert fitted.plan.folds == 0
    assert parts(fitted)["a"] == ("shortened", (9,))
    assert fitted.networks == 1
    assert fitted.scored_on == "held_out"
    assert fitted.rows["train"] + fitted.rows["valid"] == 40
    assert any("in place of folds" in line for line in fitted.plan.lines())


def test_a_limit_that_is_too_short_for_anything_is_an_error(world: World) -> None:
    world.needs = {"": (0, 1000)}
    with pytest.raises(OutOfTime, match=r"the time limit of 60 s is too short: one epoch of training takes about 17 m"):
        world.fit(60, quick(train=TRAIN))
    world.encoding = {"": 840}
    with pytest.raises(OutOfTime, match=r"encoding images \(image\) takes about 14 min more.*--time-limit"):
        world.fit(60, quick(train=TRAIN))


def test_one_whose_features_take_too_long_is_left_out(world: World) -> None:
    world.encoding = {"b": 840}
    assert parts(world.fit(60, ensemble())) == {
        "a": ("whole", (10,)),
        "b": ("left_out", ()),
        "c": ("whole", (10,)),
    }


def test_pseudo_labels_and_decisions_out_of_fold_train_more_networks(world: World) -> None:
    world.needs = {"": (1, 2)}
    config = quick(train=TRAIN, decision={"name": "global_threshold", "fit_on": "out_of_fold", "folds": 3})
    assert world.fit(1000, config).plan.parts[""].estimate == 4 * (1 + 10 * 2)
    taught = quick(train=TRAIN, pseudo={"rounds": 2})
    table = read_table(scenes())
    pool = read_table([type(s)(s.id, text=s.text + " more") for s in scenes(20, start=100)])
    found = fit(taught, table, None, pool, deadline=Deadline.after(1000, world), rounds=2)
    assert found.plan.parts[""].estimate == 3 * (1 + 10 * 2)


class TestResumed:
    """What was decided is kept beside the checkpoints."""

    def interrupted(self, world: World, folder: Path, limit: float | None, stop: Callable[[], None]) -> None:
        train = Fitter.train

        def failing(fitter: Fitter, name: str, *args: Any, **options: Any) -> Any:
            if fitter.prefix == "b-":
                stop()
            return train(fitter, name, *args, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Fitter, "train", failing)
            with pytest.raises(RuntimeError):
                world.fit(limit, ensemble(), folder=folder)

    @staticmethod
    def fail() -> None:
        raise RuntimeError("the power is gone")

    def test_epochs_are_those_decided_before(self, world: World, tmp_path: Path) -> None:
        world.needs = {"a": (0, 12), "b": (0, 0.5), "c": (0, 0.5)}
        self.interrupted(world, tmp_path, 100, self.fail)
        assert json.loads((tmp_path / "checkpoints" / "plan.json").read_text())["parts"]["a"]["epochs"] == [7]
        world.needs["a"] = (0, 0.1)
        world.paced.clear()
        fitted = world.fit(100, ensemble(), folder=tmp_path, resume=True)
        assert world.paced == ["c"], "a and b were decided on"
        assert trained(fitted) == {"a": 7, "b": 10, "c": 10}
        assert parts(fitted)["a"] == ("shortened", (7,))

    def test_without_a_limit_too(self, world: World, tmp_path: Path) -> None:
        world.needs = {"a": (0, 12), "b": (0, 0.5), "c": (0, 100)}
        self.interrupted(world, tmp_path, 100, self.fail)
        fitted = world.fit(None, ensemble(), folder=tmp_path, resume=True)
        assert trained(fitted) == {"a": 7, "b": 10, "c": 10}

    def test_what_was_begun_without_a_limit_goes_on_as_it_was(self, world: World, tmp_path: Path) -> None:
        self.interrupted(world, tmp_path, None, self.fail)
        world.needs = {"a": (0, 12), "b": (0, 1), "c": (0, 100)}
        fitted = world.fit(100, ensemble(), folder=tmp_path, resume=True)
        assert trained(fitted) == {"a": 10, "b": 10}
        assert parts(fitted)["c"] == ("left_out", ())

    @pytest.mark.parametrize("text", ["{", "[]", '{"parts": {"a": 1}, "folds": null}', '{"parts": {}, "folds": 3}'])
    def test_a_damaged_plan_is_refused(self, text: str, world: World, tmp_path: Path) -> None:
        self.interrupted(world, tmp_path, 100, self.fail)
        (tmp_path / "checkpoints" / "plan.json").write_text(text)
        with pytest.raises(RunError, match=r"plan\.json is damaged"):
            world.fit(100, ensemble(), folder=tmp_path, resume=True)


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match=r"train\.time_limit is for one process"):
        fit(quick(train={"time_limit": 60}), read_table(scenes()))


def test_a_real_limit_is_kept(tmp_path: Path) -> None:
    config = quick(train={**TRAIN, "epochs": 100_000, "patience": 100_000, "time_limit": "4s"})
    started = Deadline.after(4)
    fitted = Classifier(config).fit(scenes(), out=tmp_path / "run").fitted_
    assert fitted is not None
    assert started.left > -2  # a busy machine
    assert fitted.plan.parts[""].status == "shortened"
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["plan"]["time_limit"] == 4


def test_a_reserve_is_kept_for_scoring_many_rows() -> None:
    """50,000 rows of 20 labels in 1,000 rounds take 15 s; with 2 % of the limit beside."""
    planner = Planner(Deadline.after(300, lambda: 0.0), None, resume=False, tell=lambda line: None)
    assert planner.deadline is not None
    assert planner.deadline.left == 285
    planner.expect(50_000 * 20, 1000)
    assert planner.deadline.left == pytest.approx(279)
    planner.closing(10)
    assert planner.deadline.left == pytest.approx(300 - 12 - 15 - 6)
    planner.closing(1)
    assert planner.deadline.left == pytest.approx(267), "it never grows again"
    planner.closing(1000)
    assert planner.deadline.left == pytest.approx(210), "three tenths at most"


def test_a_span_tagger_keeps_its_limit(models: dict[str, Path], tmp_path: Path) -> None:
    config = Config.for_spans().changed(
        [
            f"encoders.text.model={models['bert']}",
            "train.epochs=100000",
            "train.patience=100000",
            "train.time_limit=6s",
        ]
    )
    table = write(tmp_path / "memes.json", memes(40))
    started = Deadline.after(6)
    fitted = SpanTagger(config).fit(table, out=tmp_path / "run").fitted_
    assert fitted is not None
    assert started.left > -3
    assert fitted.plan.parts[""].status == "shortened"
    assert (
        json.loads((tmp_path / "run" / "metrics.json").read_text())["plan"]["members"]["model"]["status"] == "shortened"
    )

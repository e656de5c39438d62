"""Ensembles: members on the same rows, combiners on rows that no member saw, one folder, one configuration."""

from __future__ import annotations

import json
import shutil
import signal
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.combiners.stacking import Stacking
from multitag.config import Config
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError, DataError, RunError
from multitag.features.rows import Rows, check_rows
from multitag.fitting.fitter import Fitter
from multitag.opening import open_run
from multitag.recipes import configure
from training_support import Kill, quick, scenes, train_in_child

MLP = quick(head={"name": "mlp"}, train={"epochs": 3})
LINEAR = quick(train={"epochs": 3})


def pair(combiner: Any = "mean", *changes: str) -> Ensemble:
    return Ensemble({"deep": MLP, "flat": LINEAR}, combiner, config=LINEAR.changed(changes))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, set[str], set[str]]]:
    """The checkpoint name, rows and held-out rows of each network trained."""
    seen: list[tuple[str, set[str], set[str]]] = []
    train = Fitter.train

    def watched(self: Fitter, name: str, rows: Any, held: Any, **options: Any) -> Any:
        ids = [{sample.id for sample in side.samples} for side in (rows, held)]
        seen.append((self.prefix + name, ids[0], ids[1]))
        return train(self, name, rows, held, **options)

    monkeypatch.setattr(Fitter, "train", watched)
    return seen


def test_all_members_have_the_same_folds(trainings: list[Any]) -> None:
    config = quick(
        train={"epochs": 2, "folds": 3},
        ensemble={"members": {"a": {"seed": 5}, "b": {"train": {"seeds": 2}}}},
    )
    fitted = Ensemble.from_config(config).fit(scenes()).fitted_
    assert fitted is not None
    names = [name for name, *_ in trainings]
    assert names[:3] == ["a-fold1", "a-fold2", "a-fold3"]
    assert names[3:] == [f"b-fold{k}{seed}" for k in (1, 2, 3) for seed in ("", "-seed2")]
    sides = {name: held for name, _, held in trainings}
    for k in (1, 2, 3):
        assert sides[f"a-fold{k}"] == sides[f"b-fold{k}"] == sides[f"b-fold{k}-seed2"]
    assert fitted.networks == 9
    assert {row["member"] for row in fitted.history} == {"a", "b"}


def test_a_member_has_folds_of_its_own(trainings: list[Any]) -> None:
    """Each row is held out once, in each member; where a share is held out, there are no folds for any."""
    config = quick(
        train={"epochs": 2, "folds": 4},
        ensemble={"combiner": {"name": "stacking"}, "members": {"a": {}, "b": {"train": {"folds": 2}}}},
    )
    whole = Ensemble.from_config(config).fit(scenes())
    names = [name for name, *_ in trainings]
    assert names == [*(f"a-fold{k}" for k in range(1, 5)), "b-fold1", "b-fold2"]
    for prefix in "ab":
        held = [row for name, _, rows in trainings if name.startswith(prefix) for row in rows]
        assert sorted(held) == sorted(row.id for row in scenes())
    assert all(not rows & held for _, rows, held in trainings)
    assert whole.predict(scenes(5)).values.shape == (5, 3)
    trainings.clear()
    Ensemble.from_config(config.changed(["train.folds=0"])).fit(scenes())
    assert [name for name, *_ in trainings] == ["a-main", "b-main"]


@pytest.mark.parametrize(
    "settings",
    [[], ["train.folds=3"], ["decision.fit_on=out_of_fold", "decision.folds=3"]],
    ids=["held out", "folds", "decision out of fold"],
)
def test_stacking_never_sees_a_row_it_was_fitted_on(
    settings: list[str], trainings: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stacking is fitted on is, row by row, what networks say that were not trained on the row."""
    given: list[np.ndarray[Any, Any]] = []
    fit = Stacking.fit

    def watched(self: Stacking, logits: Any, gold: Any) -> Stacking:
        given.append(np.asarray(logits))
        return fit(self, logits, gold)

    said: dict[tuple[str, str], np.ndarray[Any, Any]] = {}
    train = Fitter.train

    def telling(self: Fitter, name: str, rows: Any, held: Any, **options: Any) -> Any:
        found = train(self, name, rows, held, **options)
        trained_on = {sample.id for sample in rows.samples}
        for sample, logits in zip(held.samples, found.logits, strict=True):
            assert sample.id not in trained_on
            said[self.prefix + name.rstrip("0123456789"), sample.id] = logits
        return found

    monkeypatch.setattr(Stacking, "fit", watched)
    monkeypatch.setattr(Fitter, "train", telling)
    fitted = pair("stacking", "calibration.name=none", *settings).fit(scenes()).fitted_
    assert fitted is not None
    kind = "main" if not settings else "fold"
    ids = [sample.id for sample in scenes() if ("deep-" + kind, sample.id) in said]
    assert len(ids) == (40 if settings else fitted.rows["valid"])
    expected = np.stack([[said[f"{name}-{kind}", id] for id in ids] for name in ("deep", "flat")])
    assert np.allclose(given[0], expected, rtol=0, atol=1e-4)


def test_it_answers_what_its_combiner_makes_of_its_members() -> None:
    ensemble = pair({"name": "lambda_weighted", "weights": (0.7, 0.3)}, "calibration.name=none").fit(scenes())
    rows = check_rows(scenes(), ensemble.config)
    each = [pipeline.logits(rows).astype(float) for pipeline in ensemble.members_.values()]
    expected = 0.7 / (1 + np.exp(-each[0])) + 0.3 / (1 + np.exp(-each[1]))
    assert list(ensemble.members_) == ["deep", "flat"]
    assert np.allclose(ensemble.predict_proba(scenes()).values, expected, rtol=0, atol=1e-5)


def test_a_member_is_what_it_is_alone() -> None:
    alone = Classifier(MLP).fit(scenes())
    member = pair().fit(scenes()).members_["deep"]
    rows = check_rows(scenes(), MLP)
    assert np.array_equal(member.logits(rows), alone.pipeline_.logits(rows))
    assert np.array_equal(member.predict(rows).probabilities, alone.predict(scenes()).probabilities)


def test_members_are_scored_beside_the_whole() -> None:
    fitted = pair().fit(scenes()).fitted_
    assert fitted is not None
    metrics = fitted.to_dict()["members"]
    assert set(metrics) == {"deep", "flat"}
    assert (
        metrics["flat"]["samples_f1"]
        == Classifier(LINEAR)
        .fit(scenes())
        .fitted_.evaluation.metrics[  # type: ignore[union-attr]
            "samples_f1"
        ]
        .value
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ensemble") / "run"
    pair("stacking").fit(scenes(), out=folder)
    return folder


def test_saved_and_loaded_it_says_the_same(run: Path) -> None:
    loaded = open_run(run)
    assert isinstance(loaded, Ensemble)
    fresh = pair("stacking").fit(scenes())
    expected = fresh.predict_proba(scenes()).values
    assert np.array_equal(loaded.predict_proba(scenes()).values, expected)
    assert np.array_equal(Classifier.load(run).predict_proba(scenes()).values, expected)
    assert json.loads((run / "metrics.json").read_text())["networks"] == 2


def test_its_members_are_runs_of_their_own(run: Path) -> None:
    member = open_run(run / "members" / "deep")
    assert type(member) is Classifier
    rows = check_rows(scenes(), member.config)
    whole = open_run(run)
    assert isinstance(whole, Ensemble)
    assert np.array_equal(member.pipeline_.logits(rows), whole.members_["deep"].logits(rows))
    with pytest.raises(RunError, match="holds a single model and no ensemble"):
        Ensemble.load(run / "members" / "deep")


def test_it_is_saved_again_and_over_another_kind_of_run(run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    expected = open_run(run).predict_proba(scenes()).values
    open_run(run).save(copy)
    assert np.array_equal(open_run(copy).predict_proba(scenes()).values, expected)
    Classifier(LINEAR).fit(scenes(), out=copy, overwrite=True)
    assert type(open_run(copy)) is Classifier
    assert not (copy / "members").exists()
    open_run(run).save(copy)
    assert not (copy / "model.safetensors").exists()
    assert np.array_equal(open_run(copy).predict_proba(scenes()).values, expected)


@pytest.mark.parametrize(
    "lost", ["members/deep/model.safetensors", "members/flat/decision.json", "decision.json", "members"]
)
def test_a_folder_that_lacks_something_is_refused(lost: str, run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    shutil.rmtree(copy / lost) if (copy / lost).is_dir() else (copy / lost).unlink()
    with pytest.raises(RunError, match=f"lacks .*{lost.replace('.', '.')}"):
        open_run(copy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("combiner.json", []),
        ("combiner.json", {"members": 3, "labels": 3}),
        ("preprocess.json", {"format": 2, "members": ["deep"]}),
        ("preprocess.json", {"format": 2, "members": 7}),
        ("members/flat/labels.json", ["animal", "people", "ships"]),
    ],
)
def test_a_damaged_folder_is_refused(name: str, value: Any, run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    (copy / name).write_text(json.dumps(value))
    with pytest.raises(RunError, match=r"damaged|saved combiner|members"):
        open_run(copy)


def test_another_decision_is_fitted_on_the_joined_rows(run: Path) -> None:
    loaded = open_run(run).set_decision("top_k", k=2)
    assert (loaded.predict(scenes()).values.sum(axis=1) == 2).all()


def test_fitted_runs_are_members_of_rows_they_did_not_see(tmp_path: Path) -> None:
    for name, config in (("deep", MLP), ("flat", LINEAR)):
        Classifier(config).fit(scenes(), out=tmp_path / name)
    new = distinct(20, start=100)
    ensemble = Ensemble({name: tmp_path / name for name in ("deep", "flat")}, "lambda_weighted").fit(new)
    assert ensemble.fitted_ is not None
    assert ensemble.fitted_.evaluation.rows == 20
    assert ensemble.fitted_.history == []
    rows = check_rows(new, LINEAR)
    deep = Classifier.load(tmp_path / "deep")
    assert np.array_equal(ensemble.members_["deep"].logits(rows), deep.pipeline_.logits(rows))
    ensemble.save(tmp_path / "both")
    shutil.rmtree(tmp_path / "deep")
    assert len(open_run(tmp_path / "both").predict(new).labels) == 20, "the run holds all it needs"


# Of each run, and once more of both joined.
@pytest.mark.parametrize(("combiner", "asked"), [("lambda_weighted", []), ("stacking", ["image", "text"] * 3)])
def test_fitted_runs_are_asked_what_they_say_without_something_where_it_is_of_use(
    combiner: str, asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, config in (("deep", MLP), ("flat", LINEAR)):
        Classifier(config).fit(scenes(), out=tmp_path / name)
    taken, without = [], Rows.without
    monkeypatch.setattr(Rows, "without", lambda self, modality: taken.append(modality) or without(self, modality))
    Ensemble({name: tmp_path / name for name in ("deep", "flat")}, combiner).fit(distinct(60, start=100))
    assert taken == asked


def distinct(rows: int, start: int = 0) -> list[Any]:
    return [type(s)(s.id, text=f"{s.text} row {s.id}", labels=s.labels) for s in scenes(rows, start=start)]


def test_a_fitted_run_beside_one_that_is_trained(tmp_path: Path, trainings: list[Any]) -> None:
    Classifier(MLP).fit(distinct(40), out=tmp_path / "deep")
    trainings.clear()
    new = distinct(30, start=100)
    ensemble = Ensemble({"old": tmp_path / "deep", "new": LINEAR}, config=LINEAR.changed(["train.folds=2"]))
    ensemble.fit(new)
    assert [name for name, *_ in trainings] == ["new-fold1", "new-fold2"]
    assert len(ensemble.pipeline_.held_out.logits) == 30


def test_rows_that_a_fitted_run_was_trained_on_are_refused(tmp_path: Path) -> None:
    Classifier(MLP).fit(distinct(40), out=tmp_path / "deep")
    with pytest.raises(DataError, match=r"member 'old' .* was trained on 1 of these rows"):
        Ensemble({"old": tmp_path / "deep"}).fit([*distinct(10, start=100), *held_and_trained(tmp_path / "deep")])


def held_and_trained(run: Path) -> list[Any]:
    """A row that the run was trained on, whose id has changed."""
    from multitag.fitting.sides import content_keys

    keys = set(Classifier.load(run).pipeline_.trained_on.tolist())
    rows = distinct(40)
    seen = [row for row, key in zip(rows, content_keys(check_rows(rows, MLP)), strict=True) if key in keys]
    return [type(seen[0])("renamed", text=seen[0].text, labels=seen[0].labels)]


def test_a_fitted_run_of_other_labels_is_refused(tmp_path: Path) -> None:
    rows = [type(s)(s.id, text=s.text, labels=("sea",) if "sea" in s.labels else ()) for s in distinct(40)]
    Classifier(MLP).fit(rows, out=tmp_path / "sea")
    with pytest.raises(RunError, match=r"member 'old' .* knows other labels than the rows: animal, people"):
        Ensemble({"old": tmp_path / "sea"}).fit(distinct(20, start=100))


def test_a_training_killed_in_the_second_member_goes_on_there(tmp_path: Path) -> None:
    config = pair("lambda_weighted", "train.checkpoint_seconds=0").config
    assert train_in_child(config, scenes(), tmp_path / "whole") == 0
    out = tmp_path / "run"
    assert train_in_child(config, scenes(), out, kill=Kill("flat-main.safetensors", 4)) == -signal.SIGKILL
    assert train_in_child(config, scenes(), out, resume=True) == 0
    for member in ("deep", "flat"):
        name = f"members/{member}/model.safetensors"
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert (out / "combiner.json").read_bytes() == (tmp_path / "whole" / "combiner.json").read_bytes()


class TestConfiguration:
    """The [ensemble] section."""

    TOML = """
    [encoders.text]
    name = "bag_of_ngrams"
    min_count = 1
    [fusion]
    name = "single"
    [head]
    name = "linear"
    [train]
    epochs = 2
    min_steps = 0
    lr = 0.05
    [ensemble.combiner]
    name = "majority_vote"
    [ensemble.members.a]
    seed = 1
    [ensemble.members.b.head]
    name = "mlp"
    [ensemble.members.c.train]
    lr = 0.01
    """

    def test_it_is_resolved_and_written_whole(self) -> None:
        config = Config.parse(tomllib.loads(self.TOML))
        assert Config.parse(tomllib.loads(config.dump())) == config
        assert config.ensemble is not None
        assert config.ensemble.members["b"]["head"]["hidden"] == config.members["b"].head.options["hidden"]  # type: ignore[union-attr]
        assert config.ensemble.combiner.options == {"threshold": "fitted"}

    def test_a_member_changes_sections_and_single_settings_of_training(self) -> None:
        members = Config.parse(tomllib.loads(self.TOML)).members
        a, b, c = (members[name] for name in "abc")
        assert a is not None
        assert b is not None
        assert c is not None
        assert (a.seed, b.seed) == (1, 0)
        assert (a.head.name, b.head.name) == ("linear", "mlp")
        assert (c.train.lr, c.train.epochs, a.train.lr) == (0.01, 2, 0.05)
        assert a.ensemble is None

    def test_changes_reach_the_members(self) -> None:
        config = Config.parse(tomllib.loads(self.TOML))
        changed = config.changed(
            ["train.epochs=7", "ensemble.members.b.head.name=linear", "ensemble.combiner.name=mean"]
        )
        assert [member.train.epochs for member in changed.members.values() if member is not None] == [7, 7, 7]
        assert changed.ensemble is not None
        assert changed.ensemble.members["b"]["head"] == {"name": "linear", "dropout": 0.0}
        assert changed.ensemble.combiner.name == "mean"

    def test_all_faults_come_together(self) -> None:
        values = tomllib.loads(self.TOML)
        values["train"]["lr"] = -1
        values["ensemble"]["combiner"] = {"name": "majority_vot"}
        values["ensemble"]["members"]["a"] = {"head": {"name": "mpl"}, "train": {"epochs": 0, "folds": 0}}
        values["ensemble"]["members"]["b"] = {"data": {"text": "x"}, "hed": {"name": "mlp"}}
        values["ensemble"]["members"]["c"] = {"run": "runs/x", "seed": 3}
        values["ensemble"]["members"]["no name"] = {"fusion": {"name": "single"}, "encoders": {}}
        with pytest.raises(ConfigError) as caught:
            Config.parse(values)
        message = str(caught.value)
        for words in (
            "[train] lr = -1",
            "[ensemble.combiner] combiner 'majority_vot' does not exist; did you mean 'majority_vote'",
            "[ensemble.members.a.head] head 'mpl' does not exist; did you mean 'mlp'",
            "[ensemble.members.a.train] epochs = 0",
            "[ensemble.members.a] train.folds = 0: a member's own folds are 2 to 20",
            "[ensemble.members.b] data: all members share it",
            "[ensemble.members.b] hed: no such section; did you mean 'head'",
            "[ensemble.members.c] run: a fitted run changes no setting. Fix: leave out seed",
            "'no name' cannot name a member",
            "[ensemble.members.no name] encoders = {}",
        ):
            assert words in message, message
        assert message.count("lr = -1") == 1, "what all members share is said once"

    def test_shared_sections_need_only_suit_the_members_that_take_them(self) -> None:
        values = tomllib.loads(self.TOML)
        values["encoders"]["more"] = {"name": "bag_of_ngrams"}  # two encoders do not suit the fusion 'single'
        values["ensemble"]["members"] = {"a": {"encoders": {"text": {"name": "bag_of_ngrams"}}}}
        values["ensemble"]["combiner"] = {"name": "mean"}
        assert Config.parse(values).ensemble is not None
        values["ensemble"]["members"]["b"] = {"seed": 1}
        with pytest.raises(ConfigError, match=r"\[ensemble.members.b.fusion\] 'single' takes one encoder"):
            Config.parse(values)
        del values["ensemble"]["members"]["a"]
        values["train"]["monitor"] = "f9"
        with pytest.raises(ConfigError) as caught:
            Config.parse(values)
        assert "\n  [fusion] 'single' takes one encoder" in str(caught.value)
        assert str(caught.value).count("'single'") == str(caught.value).count("'f9'") == 1

    def test_the_combiner_is_held_to_the_number_of_members(self) -> None:
        values = tomllib.loads(self.TOML)
        del values["ensemble"]["members"]["c"]
        with pytest.raises(ConfigError, match=r"\[ensemble.combiner\] a majority vote needs an odd number"):
            Config.parse(values)

    def test_pictures_are_looked_at_where_any_member_reads_them(self) -> None:
        values = tomllib.loads(self.TOML)
        assert not Config.parse(values).reads_pictures
        values["ensemble"]["members"]["a"]["encoders"] = {"image": {"name": "efficientnet_lite"}}
        assert Config.parse(values).reads_pictures

    def test_encoders_of_an_ensemble_are_not_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "e.toml").write_text(self.TOML)
        with pytest.raises(ConfigError, match="--without text: this is an ensemble"):
            configure(file=tmp_path / "e.toml", without=["text"])

    def test_members_must_be_unfitted_or_folders(self) -> None:
        with pytest.raises(ConfigError, match=r"member 'a' is fitted and in memory\. Fix: save it"):
            Ensemble({"a": Classifier(LINEAR).fit(scenes())})
        assert Ensemble({"a": Classifier(LINEAR)}).config.ensemble is not None
        with pytest.raises(ConfigError, match=r"no \[ensemble\] section"):
            Ensemble.from_config(LINEAR)

"""`tune`: nothing scored on rows trained on, resumed, pruned, and the best configuration is what it says."""

from __future__ import annotations

import csv
import json

import pytest

pytest.importorskip("optuna", reason="the 'tune' extra is not installed")

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import ConfigError, MultitagError
from multitag.interrupts import Interrupted
from multitag.studies import tune
from multitag.studies.dimension import Choice, Dimension, Range
from multitag.studies.search import Search
from multitag.studies.trial import epoch_score, run_trial
from training_support import quick, scenes

OVER = ["train.lr=1e-4..0.1", "head.dropout"]


@pytest.fixture
def tried(monkeypatch):
    """The configurations of all trials."""
    done = []

    def counting(material, job, ask):
        if len(done) == counting.stop:
            raise KeyboardInterrupt
        done.append(job.config)
        return run_trial(material, job, ask)

    counting.stop = -1
    counting.done = done
    monkeypatch.setattr("multitag.studies.tuning.run_trial", counting)
    return counting


def search(out=None, trials=4, over=OVER, **more):
    return tune(scenes(40), more.pop("config", quick()), over, trials=trials, out=out, jobs=1, **more)


def test_the_configuration_as_it_stands_comes_first(tried):
    found = search()
    assert len(tried.done) == len(found.trials) == 4
    assert tried.done[0] == quick().changed(["train.lr=0.05"])
    assert found.best.value == max(trial.value for trial in found.trials if trial.value is not None)
    assert set(found.importance) <= {"train.lr", "head.dropout"}
    assert "held out" in found.scored_on


def test_the_best_configuration_trains_to_the_same_score(tmp_path):
    found = search(tmp_path / "out", trials=3)
    config = Config.read(tmp_path / "out" / "best.toml")
    assert config == found.config
    assert config.recipe.source == "multitag tune"
    fitted = Classifier(config).fit(scenes(40)).fitted_
    assert fitted.evaluation.metrics["samples_f1"].value == pytest.approx(found.best.value)


def test_a_search_goes_on(tried, tmp_path):
    first = search(tmp_path / "out", trials=2)
    assert [trial.number for trial in search(tmp_path / "out", trials=2).trials] == [0, 1]
    assert len(tried.done) == 2
    second = search(tmp_path / "out", trials=4)
    assert len(tried.done) == 4
    assert second.trials[:2] == first.trials
    assert len({config.dump() for config in tried.done}) == 4  # it does not draw the same again


def test_an_interrupted_trial_is_tried_again(tried, tmp_path):
    tried.stop = 2
    with pytest.raises(Interrupted, match=r"stopped after 2 of 3 trials; .* the same command goes on"):
        search(tmp_path / "out", trials=3)
    tried.stop = -1
    found = search(tmp_path / "out", trials=3)
    assert len(tried.done) == 3
    assert [trial.outcome for trial in found.trials] == ["finished"] * 3


def test_trials_that_fail_say_why_and_the_others_count():
    found = search(trials=3, over=["train.lr=0.05,1e38"])
    outcomes = {trial.changes[0]: trial for trial in found.trials}
    assert outcomes["train.lr=0.05"].outcome == "finished"
    assert all("diverged" in t.why for t in found.trials if t.outcome == "failed")
    with pytest.raises(MultitagError, match="no trial came to an end; the first reason: training has diverged"):
        search(trials=1, over=["train.lr=1e38,1e37"], config=quick(["train.lr=1e38"]))


def test_test_rows_are_scored_once_for_the_best(monkeypatch, tmp_path):
    scored = []
    plain = Classifier.evaluate
    monkeypatch.setattr(Classifier, "evaluate", lambda self, *a, **k: scored.append(self) or plain(self, *a, **k))
    found = search(tmp_path / "out", trials=2, test=scenes(20, start=100))
    assert len(scored) == 1
    assert found.test.rows == 20
    assert scored[0].config.train.lr == found.config.train.lr
    assert (tmp_path / "out" / "best" / "model.safetensors").is_file()


def test_rows_to_validate_on_are_those_scored():
    assert search(trials=1, valid=scenes(12, start=50)).best.result["rows"] == 12
    folds = search(trials=1, config=quick(["train.folds=2"]))
    assert folds.best.result["scored_on"] == "out_of_fold"
    assert folds.best.result["rows"] == 40


def test_options_of_a_component_are_drawn_where_it_is_chosen(tried):
    search(trials=6, over=["head"], config=quick(["head.name=mlp", "head.hidden=64", "train.epochs=1"]))
    assert tried.done[0].head.options["hidden"] == 64
    for config in tried.done:
        changed = config.head
        assert ("hidden" in changed.options) == (changed.name == "mlp")


def test_files(tmp_path):
    out = tmp_path / "out"
    found = search(out, trials=2)
    assert json.loads((out / "study.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    with open(out / "trials.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [float(row["samples_f1"]) for row in rows] == [trial.value for trial in found.trials]
    assert rows[0]["train.lr"] == "0.05"


def test_faults_come_before_any_work(tried, tmp_path):
    with pytest.raises(ConfigError, match="the search is not valid"):
        search(tmp_path / "out", over=["train.x", "y"])
    with pytest.raises(ConfigError, match="metric 'f1' does not exist"):
        search(metric="f1")
    assert not tried.done


SPACE = [Dimension("train.lr", Range(1e-4, 1.0, log=True)), Dimension("loss.name", Choice(("bce", "focal")))]


@pytest.mark.parametrize("pruner", ["median", "hyperband", "none"])
def test_pruning(tmp_path, pruner):
    """Seven good trials, then one that is far worse from its first epochs on."""
    found = Search(quick(), SPACE, "samples_f1", pruner, "rows", tmp_path)
    for _ in range(7):
        number, _ = found.ask()
        assert not any(found.report(number, step, 0.8 + 0.01 * step) for step in range(1, 6))
        found.tell(number, {"value": 0.85})
    stopped = []
    for _ in range(3):
        number, _ = found.ask()
        stopped.append(any(found.report(number, step, 0.1) for step in range(1, 10)))
        found.tell(number, None if stopped[-1] else {"value": 0.1})
    assert any(stopped) == (pruner != "none")
    if pruner == "median":
        assert all(stopped)
    assert found.finished == 10
    assert found.best().value == 0.85


def test_what_a_killed_process_left_is_tried_first(tmp_path):
    first = Search(quick(), SPACE, "samples_f1", "median", "rows", tmp_path)
    first.ask()
    _, lost = first.ask()
    again = Search(quick(), SPACE, "samples_f1", "median", "rows", tmp_path)
    assert again.finished == 0
    assert lost in [again.ask()[1] for _ in range(2)]
    other = Search(quick(), SPACE, "samples_f1", "median", "other rows", tmp_path)
    assert other.study.study_name != again.study.study_name
    assert not other.study.trials or other.finished == 0


@pytest.mark.parametrize(
    ("row", "monitor", "score"),
    [
        ({"valid_loss": 0.3}, "loss", -0.3),
        ({"valid_loss": 0.3}, "last", -0.3),
        ({"valid_loss": 1.0, "valid_calibrated_loss": 0.2}, "calibrated_loss", -0.2),
        ({"valid_loss": 1.0, "valid_samples_f1": 0.7}, "samples_f1", 0.7),
        ({"valid_loss": 1.0, "valid_brier": 0.1}, "brier", -0.1),
        ({"train_loss": 1.0}, "loss", None),
        ({"valid_loss": float("nan")}, "loss", None),
    ],
)
def test_epochs_are_compared_greater_is_better(row, monitor, score):
    assert epoch_score(row, monitor) == score

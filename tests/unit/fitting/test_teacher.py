"""A fitted run as the teacher of another training: what the student is taught, and what keeps its scores honest."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError, DataError, DataWarning, RunError
from multitag.features.rows import check_rows
from multitag.features.targets import KeptTargets
from multitag.fitting.answering import answer
from multitag.fitting.copies import kept_keys, row_keys
from multitag.fitting.fitter import Fitter
from multitag.fitting.teachers.teacher import Teacher
from multitag.fitting.teachers.teaching import Teaching, softened
from multitag.losses import LOSSES
from multitag.networks import Networks
from multitag.pipeline import Pipeline
from multitag.runs.artifacts import load_run, save_run
from multitag.training.pace import Pace
from multitag.types import Sample
from training_support import Kill, contents, quick, scenes, train_in_child, train_in_two

pytestmark = pytest.mark.filterwarnings("ignore::multitag.errors.DataWarning")

PLAIN = {"loss": {"name": "bce", "smoothing": 0.0}}
FOLDED = {"folds": 2}


def mlp(**sections: Any) -> Config:
    return quick(head={"name": "mlp"}, train={"epochs": 3, **sections.pop("train", {})}, **{**PLAIN, **sections})


def doubtful(rows: int = 40, *, start: int = 0) -> list[Sample]:
    """Rows no two of which show the same, some with labels that their words do not say: nobody can be sure of them."""
    return [
        replace(s, text=f"{s.text} row {n}", labels=("sea",) if n % 4 == 0 else s.labels)
        for n, s in enumerate(scenes(rows, start=start), start)
    ]


def more(rows: int = 30) -> list[Sample]:
    """Rows without labels, whose texts no labelled row has."""
    return [replace(s, id=f"more{n}", text=f"{s.text} today", labels=None) for n, s in enumerate(doubtful(rows))]


def fitted(config: Config, rows: Sequence[Sample], **options: Any) -> Any:
    return Classifier(config).fit(rows, **options).fitted_


def weights(found: Any) -> list[dict[str, Any]]:
    return [network.model.state_dict() for network in found.pipeline.scorer.each]


def same(one: Any, other: Any) -> bool:
    pairs = zip(weights(one), weights(other), strict=True)
    return all(torch.equal(theirs[key], value) for ours, theirs in pairs for key, value in ours.items())


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two networks, each trained on a half of the rows."""
    out = tmp_path_factory.mktemp("teacher") / "run"
    Classifier(mlp(train={**FOLDED, "epochs": 6, "lr": 0.01}, calibration={"name": "temperature"})).fit(
        doubtful(), out=out
    )
    return out


@pytest.fixture
def learned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Any]]:
    """The ids and the targets of the rows of each training."""
    seen: list[tuple[list[str], Any]] = []
    ready = Fitter._ready

    def watched(self: Fitter, *args: Any) -> Any:
        found = ready(self, *args)
        targets = found.rows.targets
        dense = targets.numpy() if isinstance(targets, KeptTargets | torch.Tensor) else targets
        seen.append(([sample.id for sample in found.rows.samples], (np.asarray(dense), found.loss.smoothing)))
        return found

    monkeypatch.setattr(Fitter, "_ready", watched)
    return seen


def made_teacher(teacher: Path, out: Path, probabilities: Any) -> Path:
    """The run with other answers kept of its rows, these probabilities, and so with another calibration."""
    pipeline = load_run(teacher)
    p = np.clip(np.asarray(probabilities, float), 0, 1)
    with np.errstate(divide="ignore"):
        logits = (np.log(p) - np.log1p(-p)).astype(np.float32)
    config = pipeline.config.changed(["calibration.name=none"])
    held = replace(pipeline.held_out, logits=logits)
    changed = Pipeline.fitted(config, pipeline.space, pipeline.scorer, held, pipeline.trained_on)
    save_run(changed, out)
    return out


def test_targets_are_the_mixture_and_only_the_labels_are_smoothed() -> None:
    gold = np.array([[1, 0, np.nan], [0, 1, 1]], np.float32)
    p = np.array([[0.5, 0.25, 0.9], [0.0, 1.0, 0.1]], np.float32)
    np.testing.assert_allclose(
        softened(gold, p, weight=0.7, smoothing=0.1),
        [[0.35 + 0.3 * 0.95, 0.175 + 0.3 * 0.05, 0.9], [0.3 * 0.05, 0.7 + 0.3 * 0.95, 0.07 + 0.3 * 0.95]],
        rtol=1e-6,
    )
    np.testing.assert_array_equal(softened(gold, p, weight=1.0, smoothing=0.1), p)
    np.testing.assert_array_equal(softened(gold, p, weight=0.0), np.where(np.isnan(gold), p, gold))


def test_rows_are_known_by_what_they_show_and_an_unknown_one_is_an_error() -> None:
    rows = check_rows(doubtful(5), mlp())
    keys, first = np.unique(row_keys(rows), return_index=True)
    p = np.arange(15, dtype=np.float32).reshape(5, 3)
    teaching = Teaching(keys, p[first], keys[:0], keys[:0])
    np.testing.assert_array_equal(teaching.of(rows.take([3, 0, 3])), p[[3, 0, 3]])
    with pytest.raises(KeyError, match="not asked"):
        teaching.of(check_rows(more(1), mlp()))


@pytest.mark.parametrize(
    "sections",
    [{}, {"train": {"folds": 2, "seeds": 2}}, {"loss": {"name": "bce", "smoothing": 0.1}}],
    ids=["one", "folds and seeds", "smoothed"],
)
def test_a_teacher_that_counts_nothing_changes_nothing_bit_for_bit(sections: dict[str, Any], teacher: Path) -> None:
    rows = [replace(s, labels=(), unknown=("sea",)) if n % 5 == 0 else s for n, s in enumerate(doubtful())]
    alone = fitted(mlp(**sections), rows)
    student = fitted(mlp(**sections, teacher={"weight": 0}), rows, teacher=teacher)
    assert same(alone, student)
    assert student.evaluation == alone.evaluation
    assert np.array_equal(student.pipeline.trained_on, alone.pipeline.trained_on)
    assert not same(alone, fitted(mlp(**sections), rows, teacher=teacher))


@pytest.mark.parametrize("loss", [name for name in LOSSES.names() if LOSSES.get(name).takes_shares])
def test_a_teacher_who_says_the_labels_is_training_on_labels(
    loss: str, teacher: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Teacher, "_kept_or_made", lambda self, rows, *_: self.pipeline.space.encode(rows.samples))
    config = mlp(loss={"name": loss, "smoothing": 0.0}, train={"epochs": 2})
    student = fitted(config.changed(["teacher.weight=1"]), doubtful(), teacher=teacher)
    assert same(fitted(config, doubtful()), student)
    smoothing = config.changed(["teacher.weight=1", "loss.smoothing=0.2"])
    assert same(student, fitted(smoothing, doubtful(), teacher=teacher)), "the teacher's answers are not smoothed"


def test_all_networks_of_the_teacher_answer_every_row(teacher: Path, learned: list[Any]) -> None:
    """Those that were trained on it too; what is new is told apart."""
    pipeline = load_run(teacher)
    fresh = [replace(s, id=f"new{n}", text=f"{s.text} soon") for n, s in enumerate(doubtful(10))]
    every = [*doubtful(), *fresh]
    found = fitted(mlp(teacher={"weight": 0.6}), every, teacher=teacher)
    assert found.teacher is not None
    assert found.teacher["rows"] == {"trained_on": 40, "other": 10}
    said = pipeline.predict(check_rows(every, pipeline.config)).probabilities
    gold = pipeline.space.encode(every)
    ids, (targets, smoothing) = learned[0]
    places = [[sample.id for sample in every].index(name) for name in ids]
    np.testing.assert_allclose(targets, 0.6 * said[places] + 0.4 * gold[places], atol=1e-6)
    assert smoothing == 0


def test_an_unknown_label_is_learned_from_the_teacher_alone(teacher: Path, learned: list[Any]) -> None:
    rows = [replace(s, unknown=("sea",), labels=tuple({*s.labels} - {"sea"})) for s in doubtful()]  # type: ignore[misc]
    fitted(mlp(teacher={"weight": 0.5}), rows, teacher=teacher)
    pipeline = load_run(teacher)
    said = pipeline.predict(check_rows(doubtful(), pipeline.config)).probabilities
    places = {sample.id: place for place, sample in enumerate(doubtful())}
    sea = pipeline.space.names.index("sea")
    ids, (targets, _) = learned[0]
    np.testing.assert_allclose(targets[:, sea], said[[places[name] for name in ids], sea], atol=1e-6)
    assert not np.isnan(targets).any()


def test_the_pool_is_learned_as_the_teacher_says_it(teacher: Path, learned: list[Any]) -> None:
    found = fitted(mlp(), doubtful(), unlabeled=more(), teacher=teacher)
    pipeline = load_run(teacher)
    said = pipeline.predict(check_rows(more(), pipeline.config)).probabilities
    ids, (targets, _) = learned[0]
    assert ids[-30:] == [sample.id for sample in more()]
    np.testing.assert_allclose(targets[-30:], said, atol=1e-6)
    assert found.pipeline.config.pseudo is None
    assert found.rows["pool"] == 30
    seen = kept_keys(check_rows(more(), pipeline.config))
    assert np.isin(seen, found.pipeline.pseudo_labelled).all()
    with pytest.raises(DataError, match="pseudo-labelled"):
        Classifier._loaded(found.pipeline, teacher).evaluate([replace(more()[0], labels=("sea",))])


def test_a_student_with_many_rows_without_labels_comes_closer_to_its_teacher() -> None:
    """Labelled rows never say puppy, ship or crowd; the teacher knows them, and says so of rows without labels."""
    known, new = ("dog", "boat", "men"), ("puppy", "ship", "crowd")
    labels = ("animal", "sea", "people")
    every = [
        Sample(f"{w[n % 3]}{n}", text=f"{w[n % 3]} {n % 4}", labels=(labels[n % 3],))
        for w in (known, new)
        for n in range(48)
    ]
    rows = [Sample(f"r{n}", text=f"{known[n % 3]} {n % 4}", labels=(labels[n % 3],)) for n in range(24)]
    pool = [Sample(f"u{n}", text=f"{known[n // 3 % 3]} {new[n % 3]} {n % 7}") for n in range(120)]
    test = [Sample(f"x{n}", text=f"{new[n % 3]} {n % 4} then") for n in range(30)]
    config = quick(train={"epochs": 20}, **PLAIN)
    master = Classifier(config).fit(every)
    folder = _saved(master)
    said = master.predict_proba(test).values

    def distance(**options: Any) -> float:
        student = Classifier(config).fit(rows, teacher=folder, **options)
        return float(np.abs(student.predict_proba(test).values - said).mean())

    assert distance(unlabeled=pool) < 0.5 * distance()


def _saved(classifier: Classifier) -> Path:
    import tempfile

    folder = Path(tempfile.mkdtemp()) / "run"
    classifier.save(folder)
    return folder


def test_the_student_keeps_what_its_teacher_was_trained_on_and_says_that_scores_flatter(teacher: Path) -> None:
    fresh = [replace(s, id=f"own{n}", text=f"{s.text} own") for n, s in enumerate(doubtful())]
    with pytest.warns(DataWarning, match=r"trained on (\d) of the \1 rows that calibration .* too good.*Fix: --valid"):
        Classifier(mlp()).fit(doubtful(), teacher=teacher)
    with pytest.warns(DataWarning, match=r"trained on 40 of the 40 validation rows, .* flatter"):
        Classifier(mlp()).fit(fresh, doubtful(), teacher=teacher)
    unseen = [replace(s, id=f"unseen{n}", text=f"{s.text} unseen") for n, s in enumerate(doubtful(10))]
    assert not _warned(Classifier(mlp()).fit(doubtful(), unseen, teacher=teacher))
    in_folds = Classifier(mlp(train=FOLDED)).fit(doubtful(), unseen, teacher=teacher)
    assert "40 of the 40 rows that calibration" in _warned(in_folds)
    assert "train.folds = 0" in _warned(in_folds)
    student = Classifier(mlp()).fit(fresh, teacher=teacher)
    assert student.fitted_ is not None
    assert not _warned(student)
    own = kept_keys(check_rows(doubtful(), student.config))
    assert np.isin(own, student.pipeline_.trained_on).all()
    with pytest.warns(DataWarning, match="1 of the 1 rows were trained on"):
        student.evaluate(doubtful(1), rounds=1)


def _warned(student: Classifier) -> str:
    assert student.fitted_ is not None
    return "; ".join(note for note in student.fitted_.notes if "teacher" in note)


def test_rows_that_the_teacher_pseudo_labelled_are_kept_too(tmp_path: Path) -> None:
    Classifier(mlp(pseudo={"high": 0.51, "low": 0.5})).fit(doubtful(), unlabeled=more(), out=tmp_path / "run")
    seen = load_run(tmp_path / "run").pseudo_labelled
    found = fitted(mlp(), doubtful(), teacher=tmp_path / "run")
    assert len(seen)
    assert np.isin(seen, found.pipeline.trained_on).all()
    assert np.isin(seen, found.pipeline.pseudo_labelled).all()


def test_the_run_says_who_taught_it_and_is_opened_without(teacher: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    teacher_copy = made_teacher(teacher, moved, np.full((40, 3), 0.5))
    Classifier(mlp()).fit(doubtful(), teacher=teacher_copy, out=tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["teacher"]["run"] == str(moved)
    assert metrics["teacher"]["networks"] == 2
    assert len(metrics["teacher"]["fingerprint"]) == 64
    card = (tmp_path / "run" / "README.md").read_text()
    assert "taught by the run moved" in card
    assert f"trained on {metrics['rows']['valid']} of the scored rows: the numbers are too good" in card
    moved.rename(tmp_path / "gone")
    model = Classifier.load(tmp_path / "run")
    assert model.config.teacher is not None
    assert model.config.teacher.weight == 0.7
    other = fitted(mlp(), doubtful(), teacher=teacher)
    assert other.teacher["fingerprint"] != metrics["teacher"]["fingerprint"]
    with pytest.raises(ConfigError, match=r"there is none\. Fix: --teacher RUN"):
        Classifier(model.config).fit(doubtful())


@pytest.mark.parametrize("ensemble", ["teacher", "student"])
def test_ensembles_teach_and_are_taught(ensemble: str, teacher: Path, tmp_path: Path, learned: list[Any]) -> None:
    config = mlp(ensemble={"members": {"a": {"seed": 3}, "b": {"head": {"name": "linear"}}}}, train=FOLDED)
    if ensemble == "teacher":
        Ensemble.from_config(config).fit(doubtful(), out=tmp_path / "run")
        learned.clear()
        found = fitted(mlp(teacher={"weight": 1}), doubtful(), teacher=tmp_path / "run")
        pipeline = load_run(tmp_path / "run")
        said = pipeline.predict(check_rows(doubtful(), pipeline.config)).probabilities
        ids, (targets, _) = learned[0]
        places = {sample.id: place for place, sample in enumerate(doubtful())}
        np.testing.assert_allclose(targets, said[[places[name] for name in ids]], atol=1e-6)
        assert found.teacher["networks"] == 4
        return
    found = (
        Ensemble.from_config(config).fit(doubtful(), unlabeled=more(), teacher=teacher, out=tmp_path / "run").fitted_
    )
    assert found is not None
    assert len(learned) == 4
    assert all(((targets > 0) & (targets < 1)).all() for _, (targets, _) in learned)
    for run in ("run", "run/members/a"):
        kept = load_run(tmp_path / run)
        assert np.isin(load_run(teacher).trained_on, kept.trained_on).all()
        assert np.isin(kept_keys(check_rows(more(), config)), kept.pseudo_labelled).all()
    with pytest.raises(ConfigError, match="nothing is trained, and a teacher teaches nothing"):
        Ensemble({"old": tmp_path / "run" / "members" / "a"}).fit(more(), teacher=teacher)


def test_what_cannot_be_taught_is_said(teacher: Path, tmp_path: Path) -> None:
    other = [replace(s, labels=tuple(f"{name}s" for name in s.labels or ())) for s in doubtful()]
    with pytest.raises(RunError, match=r"the teacher \(.*\) knows other labels than the rows: animal, animals"):
        Classifier(mlp()).fit(other, teacher=teacher)
    with pytest.raises(RunError, match="does not exist"):
        Classifier(mlp()).fit(doubtful(), teacher=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"\[teacher\] .* the loss 'two_way' takes targets of 0 and 1 alone"):
        Classifier(mlp(loss={"name": "two_way"})).fit(doubtful(), teacher=teacher)
    with pytest.raises(ConfigError, match=r"\[teacher\] is for label sets"):
        Config.for_spans().changed(["teacher.weight=1"])
    with pytest.raises(ConfigError, match=r"\[pseudo\] is for a teacher that is trained along"):
        Classifier(mlp(pseudo={})).fit(doubtful(), unlabeled=more(), teacher=teacher)
    with pytest.raises(ConfigError, match="asks the teacher nothing"):
        Classifier(mlp(teacher={"weight": 0})).fit(doubtful(), unlabeled=more(), teacher=teacher)
    Classifier(mlp(loss={"name": "two_way"}, teacher={"weight": 0})).fit(doubtful(), teacher=teacher)


def test_the_size_limit_is_the_students(teacher: Path) -> None:
    alone = fitted(mlp(), doubtful())
    size = sum(value.numel() * value.element_size() for value in weights(alone)[0].values())
    student = fitted(mlp(train={"max_size": size}), doubtful(), teacher=teacher)
    assert student.networks == 1
    with pytest.raises(ConfigError, match="would be of"):
        Classifier(mlp(train={"max_size": size - 1})).fit(doubtful(), teacher=teacher)


def _kept(**sections: Any) -> Config:
    return mlp(train={**FOLDED, "checkpoint_seconds": 0}, **sections)


@pytest.mark.slow
def test_killed_and_resumed_it_is_the_run_of_an_uninterrupted_training(teacher: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    options: dict[str, Any] = {"unlabeled": more(), "teacher": teacher}
    assert train_in_child(_kept(), doubtful(), whole, **options) == 0
    kill = Kill("fold2.safetensors", 3)
    assert train_in_child(_kept(), doubtful(), out, kill=kill, **options) == -signal.SIGKILL
    assert (out / "checkpoints" / "teacher.answers").is_file()
    assert train_in_child(_kept(), doubtful(), out, resume=True, **options) == 0
    found, expected = contents(out), contents(whole)
    for part in expected:
        assert found[part] == expected[part], part


def test_resumed_with_another_teacher_or_none_it_is_another_training(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, other = tmp_path / "run", made_teacher(teacher, tmp_path / "other", np.full((40, 3), 0.5))
    kill = Kill("fold1.safetensors", 3)
    assert train_in_child(_kept(), doubtful(), out, teacher=teacher, kill=kill) == -signal.SIGKILL
    with pytest.raises(RunError, match=r"fold1.* is of another training"):
        Classifier(_kept()).fit(doubtful(), out=out, resume=True, teacher=other)
    with pytest.raises(RunError, match=r"teacher\.weight was 0\.7 and is 'not set'"):
        Classifier(_kept()).fit(doubtful(), out=out, resume=True)
    Classifier(_kept()).fit(doubtful(), out=out, resume=True, teacher=teacher)


def test_a_resumed_training_takes_the_answers_that_it_kept(
    teacher: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another number of threads changes the last digits of what is predicted anew."""
    out, options = tmp_path / "run", {"teacher": teacher, "unlabeled": more()}
    kill = Kill("fold1.safetensors", 3)
    assert train_in_child(_kept(), doubtful(), out, kill=kill, **options) == -signal.SIGKILL

    def asked(self: Networks, rows: Any, **_: Any) -> Any:
        raise AssertionError("asked again")

    monkeypatch.setattr(Networks, "logits", asked)
    Classifier(_kept()).fit(doubtful(), out=out, resume=True, **options)
    assert not (out / "checkpoints").exists()


def test_a_look_at_the_rows_it_was_taught_says_that_answers_flatter(teacher: Path) -> None:
    student = Classifier(mlp()).fit(doubtful(), teacher=teacher).pipeline_
    rows = check_rows(doubtful(), student.config)
    assert any("another run taught these" in note for note in answer(student, rows).notes)
    assert not any("another run" in note for note in answer(load_run(teacher), rows).notes)
    untaught = Classifier(mlp(teacher={"weight": 0})).fit(doubtful(), teacher=teacher).pipeline_
    assert not any("another run" in note for note in answer(untaught, rows).notes)


def test_a_time_limit_counts_the_rows_without_labels(teacher: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is timed is a training on all rows, those that the teacher alone answers included."""
    timed: list[int] = []
    monkeypatch.setattr(
        "multitag.fitting.fitter.measure_pace",
        lambda model, loss, task, rows, *args, **options: (timed.append(len(rows)), Pace(0.001, 0.001))[1],
    )
    found = fitted(mlp(train={"time_limit": "60s"}), doubtful(), unlabeled=more(), teacher=teacher)
    assert timed
    assert set(timed) == {found.rows["train"] + 30}


@pytest.mark.slow
def test_two_processes_are_taught_as_one_is(teacher: Path, tmp_path: Path) -> None:
    config = quick(train={"epochs": 3, "modality_dropout": 0.0}, **PLAIN)
    options: dict[str, Any] = {"unlabeled": more(), "teacher": teacher}
    assert train_in_child(config, doubtful(43), tmp_path / "one", **options) == 0
    assert train_in_two(config, doubtful(43), tmp_path / "two", **options) == [0, 0]
    one, two = load_file(tmp_path / "one" / "model.safetensors"), load_file(tmp_path / "two" / "model.safetensors")
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, atol=2e-4, rtol=1e-3)

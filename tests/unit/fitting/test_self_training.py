"""Teacher and student: what the student is taught, that it helps, and that no row that is scored slips in."""

from __future__ import annotations

import json
import signal
import tomllib
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
from multitag.data.table import read_table
from multitag.decisions.platt import PlattScaling
from multitag.decisions.temperature import Temperature
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError, DataError, DataWarning, RunError
from multitag.features.rows import Rows, check_rows
from multitag.fitting.copies import are_copies, kept_keys
from multitag.fitting.fitter import Fitter, Trained
from multitag.fitting.outcome import Outcome
from multitag.fitting.teachers import self_training
from multitag.fitting.teachers.pseudo_labels import pseudo_targets
from multitag.losses.bce import BCE
from multitag.losses.class_weighted_bce import ClassWeightedBCE
from multitag.networks import Networks
from multitag.types import Sample
from tiny import write_table
from training_support import TEXT_AND_PICTURE, Kill, contents, quick, scenes, train_in_child, train_in_two

EPOCHS = {"epochs": 3}


def more(rows: int = 30) -> list[Sample]:
    """Rows without labels, whose texts no labelled row has."""
    return [replace(s, id=f"more{n}", text=f"{s.text} today", labels=None) for n, s in enumerate(scenes(rows))]


def mlp(**sections: Any) -> Config:
    return quick(head={"name": "mlp"}, train={**EPOCHS, **sections.pop("train", {})}, **sections)


def unsure(**sections: Any) -> Config:
    """A teacher that learns too slowly to be sure of much."""
    train = {"lr": 0.005, **sections.pop("train", {})}
    return mlp(train=train, pseudo={"high": 0.6, "low": 0.3, **sections.pop("pseudo", {})}, **sections)


def fitted(config: Config, rows: Sequence[Sample], pool: Sequence[Sample] | None, **options: Any) -> Any:
    return Classifier(config).fit(rows, unlabeled=pool, **options).fitted_


def weights(found: Any) -> list[dict[str, Any]]:
    return [network.model.state_dict() for network in found.pipeline.scorer.each]


class Training:
    """A network that was trained: of which part, on what, and what came of it."""

    def __init__(self, part: str, rows: Rows, held: Rows, options: dict[str, Any], trained: Trained) -> None:
        self.part, self.rows, self.held, self.trained = part, rows, held, trained
        self.taught = options.get("taught")


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> dict[str, Training]:
    """Each training by the name of its checkpoint."""
    seen: dict[str, Training] = {}
    train = Fitter.train

    def watched(self: Fitter, name: str, rows: Rows, held: Rows, **options: Any) -> Trained:
        trained = train(self, name, rows, held, **options)
        assert self.prefix + name not in seen
        seen[self.prefix + name] = Training(name, rows, held, options, trained)
        return trained

    monkeypatch.setattr(Fitter, "train", watched)
    return seen


def test_rows_without_labels_help_where_they_join_old_words_and_new_ones() -> None:
    """Labelled rows never say puppy, ship or crowd; rows without labels say them beside words that they know."""
    known, new = ("dog", "boat", "men"), ("puppy", "ship", "crowd")
    labels = ("animal", "sea", "people")
    rows = [Sample(f"r{n}", text=f"{known[n % 3]} {n % 4}", labels=(labels[n % 3],)) for n in range(48)]
    pool = [Sample(f"u{n}", text=f"{known[n % 3]} {new[n % 3]} {n % 5}") for n in range(60)]
    test = [Sample(f"t{n}", text=f"{new[n % 3]} {n % 4}", labels=(labels[n % 3],)) for n in range(30)]
    config = quick(train={"epochs": 20})
    alone = Classifier(config).fit(rows).evaluate(test, rounds=1)
    taught = Classifier(config).fit(rows, unlabeled=pool).evaluate(test, rounds=1)
    assert alone.metrics["micro_f1"].value < 0.6
    assert taught.metrics["micro_f1"].value > 0.95
    assert taught.metrics["map"].value > alone.metrics["map"].value + 0.2


@pytest.mark.parametrize(
    "several",
    [{}, {"folds": 2, "seeds": 2}, {"decision": {"fit_on": "out_of_fold", "folds": 2}}],
    ids=["one", "folds and seeds", "decision out of fold"],
)
def test_rows_that_count_nothing_change_nothing_bit_for_bit(several: dict[str, Any]) -> None:
    sections = several if "decision" in several else {"train": several}
    alone = fitted(mlp(**sections), scenes(), None)
    student = fitted(mlp(**sections, pseudo={"weight": 0}), scenes(), more())
    for one, other in zip(weights(alone), weights(student), strict=True):
        assert all(torch.equal(other[key], value) for key, value in one.items())
    assert np.array_equal(student.pipeline.held_out.logits, alone.pipeline.held_out.logits)
    assert student.evaluation == alone.evaluation
    assert len(student.pipeline.pseudo_labelled) == 0
    half = fitted(mlp(**sections), scenes(), more())
    assert not np.array_equal(half.pipeline.held_out.logits, alone.pipeline.held_out.logits)


def test_the_student_learns_what_the_calibrated_teacher_is_sure_of(trainings: dict[str, Training]) -> None:
    doubtful = [replace(s, labels=("sea",)) if n % 4 == 0 else s for n, s in enumerate(scenes(20, start=60))]
    config = mlp(calibration={"name": "per_label"}, pseudo={"high": 0.7, "low": 0.2})
    found = fitted(config, scenes(), more(), valid=doubtful)
    assert list(trainings) == ["teacher-main", "student-main"]
    teacher, student = trainings["teacher-main"], trainings["student-main"]
    assert teacher.taught is None
    assert teacher.rows.samples == student.rows.samples
    assert teacher.held.samples == student.held.samples
    space = found.pipeline.space
    logits = Networks(config, 3, (teacher.trained.network,)).logits(check_rows(more(), config))
    calibration = PlattScaling().fit(teacher.trained.logits, space.encode(teacher.held.samples))
    targets = pseudo_targets(calibration.apply(logits), config.pseudo)
    assert student.taught is not None
    assert student.taught.weight == 0.5
    kept = ~np.isnan(targets).all(axis=1)
    assert 0 < np.isnan(targets).sum() < targets.size
    np.testing.assert_array_equal(space.encode(student.taught.rows.samples), targets[kept])
    counts = found.taught["student"]
    assert counts.rows == kept.sum()
    assert list(counts.positive.values()) == (targets == 1).sum(0).tolist()
    assert list(counts.negative.values()) == (targets == 0).sum(0).tolist()
    assert list(counts.unknown.values()) == np.isnan(targets).sum(0).tolist()


FOLDS = {
    "folds and seeds": {"train": {"folds": 2, "seeds": 2}},
    "decision out of fold": {"decision": {"fit_on": "out_of_fold", "folds": 2}},
}


@pytest.mark.parametrize("where", FOLDS)
def test_each_fold_is_taught_by_the_networks_that_were_not_trained_on_what_it_holds_out(
    where: str, trainings: dict[str, Training]
) -> None:
    found = fitted(unsure(calibration={"name": "none"}, **FOLDS[where]), scenes(), more())
    config, space = found.pipeline.config, found.pipeline.space
    pool, targets = check_rows(more(), config), {}
    for fold in ("fold1", "fold2"):
        teachers = [each for name, each in trainings.items() if name.startswith(f"teacher-{fold}")]
        networks = Networks(config, 3, tuple(each.trained.network for each in teachers))
        logits = networks.logits(pool).astype(float)
        targets[fold] = pseudo_targets(1 / (1 + np.exp(-logits)), config.pseudo)
        students = [each for name, each in trainings.items() if name.startswith(f"student-{fold}")]
        assert len(teachers) == len(students) == (2 if "seeds" in where else 1)
        for student in students:
            assert [s.id for s in student.held.samples] == [s.id for s in teachers[0].held.samples]
            assert student.taught is not None
            kept = ~np.isnan(targets[fold]).all(axis=1)
            np.testing.assert_array_equal(space.encode(student.taught.rows.samples), targets[fold][kept])
    assert not np.array_equal(targets["fold1"], targets["fold2"], equal_nan=True), "or nothing was shown"


def test_the_calibration_of_a_folds_teacher_has_not_seen_what_it_holds_out(
    trainings: dict[str, Training], monkeypatch: pytest.MonkeyPatch
) -> None:
    golds: list[Any] = []
    fit = PlattScaling.fit
    monkeypatch.setattr(
        PlattScaling, "fit", lambda self, z, gold: (golds.append(np.asarray(gold)), fit(self, z, gold))[1]
    )
    found = fitted(unsure(calibration={"name": "per_label"}, train={"folds": 4}), scenes(), more())
    space = found.pipeline.space
    whole = space.encode(scenes())
    expected = [space.encode(trainings[f"teacher-fold{k}"].rows.samples) for k in (1, 2, 3, 4)]
    assert [len(gold) for gold in golds] == [40, *(len(gold) for gold in expected), 40]
    for gold, outside in zip(golds, [whole, *expected, whole], strict=True):
        np.testing.assert_array_equal(gold, outside)


def test_in_more_rounds_the_student_is_the_next_teacher(trainings: dict[str, Training]) -> None:
    config = unsure(pseudo={"rounds": 2}, calibration={"name": "temperature"})
    found = fitted(config, scenes(), more())
    assert list(trainings) == ["teacher-main", "student1-main", "student2-main"]
    assert list(found.generations) == ["teacher", "student1", "student2"]
    assert [row["role"] for row in found.history] == [role for role in found.generations for _ in range(3)]
    first, second = trainings["student1-main"], trainings["student2-main"]
    space = found.pipeline.space
    logits = Networks(found.pipeline.config, 3, (first.trained.network,)).logits(check_rows(more(), config))
    calibration = Temperature().fit(first.trained.logits, space.encode(first.held.samples))
    targets = pseudo_targets(calibration.apply(logits), found.pipeline.config.pseudo)
    assert second.taught is not None
    np.testing.assert_array_equal(space.encode(second.taught.rows.samples), targets[~np.isnan(targets).all(axis=1)])
    assert found.networks == 1
    taught = first.taught.rows + second.taught.rows if first.taught else second.taught.rows
    assert np.array_equal(found.pipeline.pseudo_labelled, kept_keys(taught))


def test_rows_count_their_weight_in_the_loss_and_none_where_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    forward = BCE.forward

    def watched(self: BCE, logits: Any, targets: Any, weights: Any = None) -> Any:
        seen.append(weights)
        return forward(self, logits, targets, weights)

    monkeypatch.setattr(BCE, "forward", watched)
    found = fitted(mlp(pseudo={"weight": 0.25}), scenes(), more())
    steps = 3 * -(-found.rows["train"] // 8)
    assert all(weights is None for weights in seen[:steps]), "the teacher's"
    given = torch.cat(seen[steps:])
    assert given.unique().tolist() == [0.25, 1]
    assert (given == 1).sum() == 3 * found.rows["train"]
    assert (given == 0.25).sum() == 3 * found.taught["student"].rows
    seen.clear()
    fitted(mlp(pseudo={"weight": 1}), scenes(), more())
    assert all(weights is None for weights in seen)


def test_labelled_rows_alone_say_how_common_labels_are(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(ClassWeightedBCE, "fit", lambda self, targets: seen.append(targets) or _uniform(self, targets))
    found = fitted(mlp(loss={"name": "class_weighted_bce"}, augment={"rare": 0.9}), scenes(), more())
    assert [len(targets) for targets in seen] == [found.rows["train"]] * 2
    assert not any(targets.isnan().any() for targets in seen)


def _uniform(loss: ClassWeightedBCE, targets: Any) -> None:
    loss.weights = torch.ones(targets.shape[1])


def test_copies_of_labelled_rows_and_of_validation_rows_are_left_out(trainings: dict[str, Training]) -> None:
    valid = [replace(s, text=f"{s.text} indeed") for s in scenes(10, start=60)]
    slipped = [Sample(f"copy{n}", text=s.text) for n, s in enumerate([scenes()[0], scenes()[1], *valid[:5]])]
    with pytest.warns(DataWarning, match=r"7 of the 37 rows .* are copies of labelled rows"):
        found = Classifier(mlp(train={"folds": 2})).fit(scenes(), valid, unlabeled=[*slipped, *more()]).fitted_
    assert found is not None
    assert (found.rows["pool"], found.rows["pool_copies"]) == (30, 7)
    labelled = kept_keys(check_rows([*scenes(), *valid], found.pipeline.config))
    taught = [each.taught.rows for each in trainings.values() if each.taught is not None]
    assert len(taught) == 2
    for rows in taught:
        assert not are_copies(rows, labelled, pictures=True).any()
        assert not any(sample.id.startswith("copy") for sample in rows.samples)


def test_rows_of_a_group_that_is_held_out_are_left_out(trainings: dict[str, Training]) -> None:
    rows = [replace(s, group=f"g{n % 8}") for n, s in enumerate(scenes())]
    pool = [replace(s, group=f"g{n % 10}") for n, s in enumerate(more())]
    with pytest.warns(DataWarning, match="of a group of which rows"):
        Classifier(mlp()).fit(rows, unlabeled=pool)
    student = trainings["student-main"]
    held = {sample.group for sample in student.held.samples}
    trained = {sample.group for sample in student.rows.samples}
    assert student.taught is not None
    taught = {sample.group for sample in student.taught.rows.samples}
    assert not held & taught
    assert taught & trained
    assert {"g8", "g9"} <= taught


def test_labels_of_the_table_are_not_used_and_that_is_said(trainings: dict[str, Training]) -> None:
    lying = [replace(s, labels=("sea", "brand-new"), unknown=("people",)) for s in more()]
    with pytest.warns(DataWarning, match="the labels of 30 rows of .* are not used"):
        found = Classifier(mlp()).fit(scenes(), unlabeled=lying).fitted_
    lied_to = weights(found)
    trainings.clear()
    assert found is not None
    assert "brand-new" not in found.pipeline.space.names
    plain = weights(fitted(mlp(), scenes(), more()))
    assert all(torch.equal(plain[0][key], value) for key, value in lied_to[0].items())


def test_a_student_that_would_be_too_large_is_refused_for_the_words_it_would_learn(tmp_path: Path) -> None:
    config = quick(train=EPOCHS, pseudo={"high": 0.6, "low": 0.5})
    pool = [replace(s, text=f"{s.text} word{n}") for n, s in enumerate(more())]
    Classifier(config).fit(scenes(), unlabeled=pool, out=tmp_path / "student")
    Classifier(quick(train=EPOCHS)).fit(scenes(), out=tmp_path / "alone")
    student, alone = (
        sum(t.numel() * t.element_size() for t in load_file(tmp_path / run / "model.safetensors").values())
        for run in ("student", "alone")
    )
    assert alone < student
    with pytest.raises(ConfigError, match="would be of"):
        Classifier(config.changed([f"train.max_size={student - 1}"])).fit(scenes(), unlabeled=pool)
    Classifier(quick(train=EPOCHS).changed([f"train.max_size={alone}"])).fit(scenes())


def test_a_table_of_nothing_but_copies_is_refused() -> None:
    with pytest.raises(DataError, match=r"all 40 rows .* copies of labelled rows.*leave out --unlabeled"):
        Classifier(mlp()).fit(scenes(), unlabeled=[replace(s, labels=None) for s in scenes()])


def test_a_teacher_that_is_sure_of_nothing_is_said_and_its_student_is_as_it_is() -> None:
    config = unsure(pseudo={"high": 1.0, "low": 0.0}, calibration={"name": "none"})
    with pytest.warns(DataWarning, match="sure of no label"):
        found = Classifier(config).fit(scenes(), unlabeled=more()).fitted_
    alone = fitted(unsure(calibration={"name": "none"}).model_copy(update={"pseudo": None}), scenes(), None)
    assert found is not None
    assert found.taught["student"].rows == 0
    assert found.evaluation.metrics["map"] == alone.evaluation.metrics["map"]
    assert all(torch.equal(weights(found)[0][key], value) for key, value in weights(alone)[0].items())


def test_a_run_says_that_it_is_a_students_and_what_the_teacher_was_worth(tmp_path: Path) -> None:
    classifier = Classifier(mlp()).fit(scenes(), unlabeled=more(), out=tmp_path / "run")
    settings = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert settings["pseudo"] == {"high": 0.9, "low": 0.1, "weight": 0.5, "rounds": 1}
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    teacher, student = metrics["generations"]["teacher"], metrics["generations"]["student"]
    assert "pseudo_labels" not in teacher
    assert student["metrics"]["micro_f1"] == metrics["validation"]["metrics"]["micro_f1"]["value"]
    alone = fitted(mlp(), scenes(), None)
    assert teacher["metrics"]["brier"] == alone.evaluation.metrics["brier"].value
    labels = student["pseudo_labels"]["labels"]
    assert set(labels) == {"animal", "people", "sea"}
    assert all(sum(counts.values()) == 30 for counts in labels.values())
    loaded = Classifier.load(tmp_path / "run")
    assert np.array_equal(loaded.pipeline_.pseudo_labelled, classifier.pipeline_.pseudo_labelled)
    assert not (tmp_path / "run" / "checkpoints").exists()
    plain = fitted(mlp(), scenes(), None, out=tmp_path / "plain")
    assert "pseudo" not in tomllib.loads((tmp_path / "plain" / "config.toml").read_text())
    assert "generations" not in plain.to_dict()


def test_pseudo_labelled_rows_cannot_be_scored_unless_that_is_meant(tmp_path: Path) -> None:
    Classifier(mlp()).fit(scenes(), unlabeled=more(), out=tmp_path / "run")
    model = Classifier.load(tmp_path / "run")
    fresh = [replace(s, text=f"{s.text} tomorrow") for s in scenes(10, start=80)]
    seen = replace(more()[0], id="seen", labels=("sea",))
    clean = model.evaluate(fresh, rounds=1)
    with pytest.raises(DataError, match=r"1 of the 11 rows were pseudo-labelled .*--unlabeled.*--allow-seen"):
        model.evaluate([*fresh, seen], rounds=1)
    with pytest.warns(DataWarning, match="1 of the 11 rows were pseudo-labelled"):
        assert model.evaluate([*fresh, seen], rounds=1, allow_seen=True).rows == clean.rows + 1
    with pytest.warns(DataWarning, match="1 of the 11 rows were trained on"):
        model.evaluate([*fresh, scenes()[0]], rounds=1)


def test_members_of_an_ensemble_have_students_each(tmp_path: Path, trainings: dict[str, Training]) -> None:
    config = mlp(ensemble={"members": {"a": {"seed": 3}, "b": {"pseudo": {"weight": 0.25}}}})
    ensemble = Ensemble.from_config(config)
    found = ensemble.fit(scenes(), unlabeled=more(), out=tmp_path / "run").fitted_
    assert list(trainings) == ["a-teacher-main", "a-student-main", "b-teacher-main", "b-student-main"]
    taught = [trainings[name].taught for name in ("a-student-main", "b-student-main")]
    assert [each.weight for each in taught if each is not None] == [0.5, 0.25]
    assert found is not None
    assert list(found.generations) == ["a, teacher", "a, student", "b, teacher", "b, student"]
    assert {(row["member"], row["role"]) for row in found.history} == {
        (member, role) for member in "ab" for role in ("teacher", "student")
    }
    seen = [replace(more()[0], labels=("sea",))]
    for run in ("run", "run/members/a"):
        with pytest.raises(DataError, match="pseudo-labelled"):
            Classifier.load(tmp_path / run).evaluate(seen)
    # A fitted run whose students learned from rows that would be scored here is no member either.
    shown = [replace(s, labels=labelled.labels) for s, labelled in zip(more(), scenes(30), strict=True)]
    with pytest.raises(DataError, match="was trained on"):
        Ensemble({"old": tmp_path / "run" / "members" / "a", "new": mlp()}).fit(shown)
    with pytest.raises(ConfigError, match="nothing is trained"):
        Ensemble({"old": tmp_path / "run" / "members" / "a"}).fit(shown, unlabeled=more())


PLACES = {
    "the teacher": Kill("teacher-fold2.safetensors", 3),
    "between": Kill("student-fold1.safetensors", 1),
    "the student": Kill("student-fold2.safetensors", 4),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "run"
    assert train_in_child(_kept(), scenes(), out, unlabeled=more()) == 0
    return out


def _kept() -> Config:
    return mlp(train={"folds": 2, "checkpoint_seconds": 0}, pseudo={})


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_killed_and_resumed_it_is_the_run_of_an_uninterrupted_training(place: str, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert train_in_child(_kept(), scenes(), out, unlabeled=more(), kill=PLACES[place]) == -signal.SIGKILL
    there = {path.name for path in (out / "checkpoints").glob("*.safetensors")}
    assert "teacher-fold1.safetensors" in there
    assert ("student-fold1.safetensors" in there) == (place == "the student")
    assert train_in_child(_kept(), scenes(), out, unlabeled=more(), resume=True) == 0
    found, expected = contents(out), contents(whole)
    for part in expected:
        assert found[part] == expected[part], part


def test_other_rows_without_labels_or_none_are_another_training(tmp_path: Path) -> None:
    out = tmp_path / "run"
    kill = Kill("student-main.safetensors", 3)
    config = mlp(train={"checkpoint_seconds": 0})
    with_students = config.changed(["pseudo.rounds=1"])
    assert train_in_child(with_students, scenes(), out, unlabeled=more(), kill=kill) == -signal.SIGKILL
    with pytest.raises(RunError, match=r"student-main.* is of another training"):
        Classifier(config).fit(scenes(), unlabeled=more(20), out=out, resume=True)
    with pytest.raises(RunError, match=r"pseudo\.high was 0\.9 and is 'not set'"):
        Classifier(config).fit(scenes(), out=out, resume=True)
    Classifier(config).fit(scenes(), unlabeled=more(), out=out, resume=True)


@pytest.mark.slow
def test_two_processes_weigh_rows_as_one_does(tmp_path: Path) -> None:
    config = quick(train={"epochs": 3, "modality_dropout": 0.0}, pseudo={"weight": 0.25})
    rows = scenes(43)
    assert train_in_child(config, rows, tmp_path / "one", unlabeled=more()) == 0
    assert train_in_two(config, rows, tmp_path / "two", unlabeled=more()) == [0, 0]
    one, two = load_file(tmp_path / "one" / "model.safetensors"), load_file(tmp_path / "two" / "model.safetensors")
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, atol=2e-4, rtol=1e-3)


def test_rows_without_labels_that_lack_a_text_are_answered_as_such_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The teacher's probabilities of them are those of its pipeline: calibrated on rows with their texts taken away."""
    rows = read_table(write_table(tmp_path, rows=260)).samples
    pool = [replace(row, labels=None, text=None if number % 2 else row.text) for number, row in enumerate(rows[220:])]
    encoders = {"encoders": TEXT_AND_PICTURE, "fusion": {"name": "sum"}}
    config = quick(train={"epochs": 3, "folds": 0}, calibration={"name": "per_label"}, **encoders)
    outcomes: list[Outcome] = []
    given: list[np.ndarray[Any, Any]] = []
    train_all, targets = self_training.train_all, pseudo_targets

    def trained(*arguments: Any, **options: Any) -> Outcome:
        outcomes.append(train_all(*arguments, **options))
        return outcomes[-1]

    monkeypatch.setattr(self_training, "train_all", trained)
    monkeypatch.setattr(self_training, "pseudo_targets", lambda p, s: given.append(p) or targets(p, s))
    fitted(config, rows[:120], pool, valid=rows[120:220])
    teacher, ready = outcomes[0].pipeline, check_rows(pool, config)
    assert isinstance(teacher.scorer, Networks)
    unshifted = teacher.calibration.apply(replace(teacher.scorer, without={}).logits(ready))
    known = teacher.predict(ready).probabilities
    assert abs(known - unshifted).max() > 0.01
    assert np.allclose(given[0], known, rtol=0, atol=1e-5)

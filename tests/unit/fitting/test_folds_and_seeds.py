"""Several networks in one run: each row's logits out of fold, all networks averaged, saved, resumed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.encoders.transformers_text import TransformersText
from multitag.features.rows import check_rows
from multitag.fitting import fitter
from multitag.fitting.fitter import Fitter
from multitag.inference import predict_logits
from multitag.networks import Networks
from multitag.training import run
from training_support import Kill, contents, quick, scenes, train_in_child


def several(**train: Any) -> Config:
    return quick(head={"name": "mlp"}, train={"epochs": 3, **train})


def networks_of(classifier: Classifier) -> Networks:
    scorer = classifier.pipeline_.scorer
    assert isinstance(scorer, Networks)
    return scorer


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, set[str], set[str], int]]:
    """The name, rows, held-out rows and seed of each network trained."""
    seen: list[tuple[str, set[str], set[str], int]] = []
    train = Fitter.train

    def watched(self: Fitter, name: str, rows: Any, held: Any, **options: Any) -> Any:
        ids = [{sample.id for sample in side.samples} for side in (rows, held)]
        seen.append((name, ids[0], ids[1], options["seed"]))
        return train(self, name, rows, held, **options)

    monkeypatch.setattr(Fitter, "train", watched)
    return seen


def test_each_row_is_held_out_of_one_fold_and_trained_on_in_the_others(trainings: list[Any]) -> None:
    fitted = Classifier(several(folds=4)).fit(scenes()).fitted_
    assert fitted is not None
    everybody = {sample.id for sample in scenes()}
    assert [name for name, *_ in trainings] == ["fold1", "fold2", "fold3", "fold4"]
    assert sorted(id for _, _, held, _ in trainings for id in held) == sorted(everybody)
    for _, rows, held, _ in trainings:
        assert rows == everybody - held
    assert fitted.rows["train"] == fitted.rows["valid"] == fitted.evaluation.rows == 40
    assert fitted.scored_on == "out_of_fold"
    assert fitted.networks == 4
    assert {row["model"] for row in fitted.history} == {"fold1", "fold2", "fold3", "fold4"}


def test_decisions_rest_on_logits_out_of_fold_and_answers_on_the_average() -> None:
    classifier = Classifier(several(folds=3)).fit(scenes())
    networks, rows = networks_of(classifier), check_rows(scenes(), classifier.config)
    alone = [Networks(networks.config, networks.labels, (network,)).logits(rows) for network in networks.each]
    assert len(alone) == 3
    assert np.abs(alone[0] - alone[1]).max() > 1e-3
    average = classifier.pipeline_.logits(rows)
    assert np.allclose(average, (alone[0] + alone[1] + alone[2]) / 3, rtol=0, atol=1e-5)
    held = classifier.pipeline_.held_out.logits
    assert held.shape == average.shape
    # Each row's are those of the one network that did not see it, not of another and not the average.
    nearest = np.argmin([np.abs(held - one).max(axis=1) for one in alone], axis=0)
    assert np.allclose(held, np.stack(alone)[nearest, np.arange(40)], rtol=0, atol=1e-5)
    assert sorted(np.bincount(nearest)) == [13, 13, 14]


@pytest.mark.parametrize("monitor", ["loss", "last"])
def test_held_out_rows_are_not_asked_again_after_the_epoch_that_is_kept(
    monitor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def counted(*given: Any, **options: Any) -> Any:
        asked.append(given)
        return predict_logits(*given, **options)

    for room in (fitter, run):
        monkeypatch.setattr(room, "predict_logits", counted)
    Classifier(several(folds=2, monitor=monitor, patience=3)).fit(scenes())
    assert len(asked) == 6, "two folds of three epochs"


def test_seeds_train_on_the_same_rows_and_are_averaged(trainings: list[Any]) -> None:
    classifier = Classifier(several(seeds=3).changed(["seed=7"])).fit(scenes())
    assert [(name, seed) for name, _, _, seed in trainings] == [("main", 7), ("main-seed2", 8), ("main-seed3", 9)]
    assert trainings[0][1:3] == trainings[1][1:3] == trainings[2][1:3]
    networks = networks_of(classifier)
    held = [sample for sample in scenes() if sample.id in trainings[0][2]]
    logits = networks.logits(check_rows(held, classifier.config))
    assert np.allclose(classifier.pipeline_.held_out.logits, logits, rtol=0, atol=1e-5)
    first, second = (Networks(networks.config, networks.labels, (one,)) for one in networks.each[:2])
    rows = check_rows(held, classifier.config)
    assert np.abs(first.logits(rows) - second.logits(rows)).max() > 1e-3
    assert classifier.fitted_ is not None
    assert classifier.fitted_.scored_on == "held_out"


def test_the_first_seed_is_the_network_of_a_single_one() -> None:
    rows = check_rows(scenes(), several())
    single = networks_of(Classifier(several()).fit(scenes())).logits(rows)
    three = networks_of(Classifier(several(seeds=2)).fit(scenes()))
    assert np.array_equal(Networks(three.config, three.labels, three.each[:1]).logits(rows), single)


def test_folds_and_seeds_together(trainings: list[Any]) -> None:
    fitted = Classifier(several(folds=2, seeds=2)).fit(scenes()).fitted_
    assert fitted is not None
    assert [name for name, *_ in trainings] == ["fold1", "fold1-seed2", "fold2", "fold2-seed2"]
    assert fitted.networks == 4
    # An average of two seeds is what each row was predicted by: no network alone.
    assert fitted.pipeline.held_out.logits.shape == (40, 3)


def test_a_decision_out_of_fold_rests_on_every_seed(trainings: list[Any]) -> None:
    config = several(seeds=2).changed(["decision.fit_on=out_of_fold", "decision.folds=2"])
    fitted = Classifier(config).fit(scenes()).fitted_
    assert fitted is not None
    assert [name for name, *_ in trainings] == [
        "main",
        "main-seed2",
        "fold1",
        "fold1-seed2",
        "fold2",
        "fold2-seed2",
    ]
    assert fitted.networks == 2, "the networks of the folds only served the decision"


def test_a_validation_table_is_scored_and_not_trained_on(trainings: list[Any]) -> None:
    valid = scenes(8, start=60)
    classifier = Classifier(several(folds=2)).fit(scenes(), valid)
    fitted = classifier.fitted_
    assert fitted is not None
    assert fitted.scored_on == "valid"
    assert fitted.rows["train"] == 40
    assert fitted.evaluation.rows == fitted.rows["valid"] == 8
    seen = {id for _, rows, held, _ in trainings for id in rows | held}
    assert not seen & {sample.id for sample in valid}
    assert len(fitted.pipeline.held_out.logits) == 40
    again = classifier.evaluate(valid)
    assert again.metrics == fitted.evaluation.metrics


def test_one_run_folder_holds_them_all(tmp_path: Path) -> None:
    classifier = Classifier(several(folds=2, seeds=2)).fit(scenes(), out=tmp_path / "run")
    loaded = Classifier.load(tmp_path / "run")
    assert len(networks_of(loaded).each) == 4
    assert np.array_equal(loaded.predict_proba(scenes()).values, classifier.predict_proba(scenes()).values)
    size = classifier.fitted_.size if classifier.fitted_ is not None else None
    single = Classifier(several()).fit(scenes()).fitted_
    assert size is not None
    assert single is not None
    assert size.trained_parameters > 3 * single.size.trained_parameters


def test_frozen_encoders_are_loaded_once(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    load = TransformersText.load
    monkeypatch.setattr(TransformersText, "load", lambda self: (loaded.append(self), load(self)))
    config = quick(
        encoders={
            "text": {"name": "transformers_text", "model": str(models["bert"])},
            "words": {"name": "bag_of_ngrams", "min_count": 1},
        },
        train={"folds": 3, "epochs": 1},
    )
    classifier = Classifier(config).fit(scenes())
    assert len(loaded) == 1
    slots = [network.slots for network in networks_of(classifier).each]
    assert slots[0]["text"] is slots[1]["text"]
    assert slots[0]["words"] is not slots[1]["words"], "each learns its own vocabulary, from its own rows"
    assert classifier.fitted_ is not None
    frozen = sum(tensor.numel() for tensor in loaded[0].state_dict().values())
    assert classifier.fitted_.size.frozen_parameters == frozen


def test_a_training_killed_in_the_second_fold_goes_on_there(tmp_path: Path) -> None:
    config = several(folds=3, checkpoint_seconds=0)
    assert train_in_child(config, scenes(), tmp_path / "whole") == 0
    out = tmp_path / "run"
    assert train_in_child(config, scenes(), out, kill=Kill("fold2.safetensors", 4)) == -signal.SIGKILL
    done: dict[str, float] = {}

    class Told:
        def __init__(self, what: str, total: int) -> None:
            self.what, self.total = what, total
            self.first = True

        def __enter__(self) -> Any:
            return self.advance

        def advance(self, rows: int) -> None:
            if self.first and "training" in self.what:
                done[self.what] = rows / self.total
            self.first = False

        def __exit__(self, *error: object) -> None:
            pass

    Classifier(config).fit(scenes(), out=out, resume=True, progress=Told)
    found, expected = contents(out), contents(tmp_path / "whole")
    for part in expected:
        assert found[part] == expected[part], part
    assert done["fold 1 of 3: training"] == 1, "all its epochs were done already"
    assert 0 < done["fold 2 of 3: training"] < 1
    assert done["fold 3 of 3: training"] == 0

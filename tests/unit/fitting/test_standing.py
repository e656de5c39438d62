"""The run of the members so far: whole and usable while the others train, and no obstacle to going on."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import RunError
from multitag.fitting.fitter import Fitter
from multitag.interrupts import Interrupted
from multitag.opening import open_run
from training_support import Kill, quick, scenes, train_in_child

MEMBERS: dict[str, Any] = {"a": {}, "b": {"seed": 1}, "c": {"head": {"name": "mlp"}}}


def ensemble(combiner: Any = "stacking", **train: Any) -> Config:
    section = {"combiner": {"name": combiner} if isinstance(combiner, str) else combiner, "members": MEMBERS}
    return quick(train={"epochs": 3, "folds": 2, **train}, ensemble=section)


def stopped_in(config: Config, folder: Path, member: str, error: BaseException, **options: Any) -> BaseException:
    """Train until a member begins, where something happens; what comes out."""
    train = Fitter.train

    def failing(fitter: Fitter, *args: Any, **more: Any) -> Any:
        if fitter.prefix == f"{member}-":
            raise error
        return train(fitter, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fitter, "train", failing)
        with pytest.raises((RuntimeError, Interrupted)) as found:
            Classifier(config).fit(scenes(), out=folder, **options)
    return found.value


def members(folder: Path) -> list[str]:
    return json.loads((folder / "preprocess.json").read_text())["members"]


def answers(folder: Path) -> np.ndarray[Any, Any]:
    return open_run(folder).predict_proba(scenes()).values


def test_it_stands_after_each_member(tmp_path: Path) -> None:
    out = tmp_path / "run"
    stopped_in(ensemble(), out, "b", RuntimeError())
    assert members(out) == ["a"]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["plan"]["to_come"] == ["b", "c"]
    assert "Written while its training went on: b, c were to come." in (out / "README.md").read_text()
    stopped_in(ensemble(), out, "c", RuntimeError(), resume=True)
    assert members(out) == ["a", "b"]
    two = Config.parse(
        {
            **ensemble().values(),
            "ensemble": {"combiner": {"name": "stacking"}, "members": {name: MEMBERS[name] for name in "ab"}},
        }
    )
    assert np.array_equal(answers(out), Classifier(two).fit(scenes()).predict_proba(scenes()).values)


def test_resumed_it_ends_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "run"
    Classifier(ensemble()).fit(scenes(), out=whole)
    stopped_in(ensemble(), out, "b", RuntimeError())
    Classifier(ensemble()).fit(scenes(), out=out, resume=True)
    assert members(out) == ["a", "b", "c"]
    for name in ("combiner.json", "decision.json", "held_out.safetensors"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    for member in "abc":
        name = f"members/{member}/model.safetensors"
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in whole.iterdir())
    assert "plan" not in json.loads((out / "metrics.json").read_text())
    assert "were to come" not in (out / "README.md").read_text()
    with pytest.raises(RunError, match="is finished: there is nothing to resume"):
        Classifier(ensemble()).fit(scenes(), out=out, resume=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "place", [Kill("b-fold1.safetensors", 2), Kill("run/combiner.json", 2), Kill("run/members", 2)]
)
def test_killed_anywhere_it_goes_on(place: Kill, tmp_path: Path) -> None:
    config, out = ensemble(checkpoint_seconds=0), tmp_path / "run"
    assert train_in_child(config, scenes(), tmp_path / "whole") == 0
    assert train_in_child(config, scenes(), out, kill=place) == -signal.SIGKILL
    if "combiner" not in place.place and "members" not in place.place:
        assert answers(out).shape == (40, 3)
    assert train_in_child(config, scenes(), out, resume=True) == 0
    assert np.array_equal(answers(out), answers(tmp_path / "whole"))


def test_it_waits_for_a_choice_before_it_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "run"
    stopped_in(ensemble(), out, "b", RuntimeError())
    with pytest.raises(RunError, match=r"did not finish\. Fix: --resume to go on, or --overwrite"):
        Classifier(ensemble()).fit(scenes(), out=out)
    stopped_in(ensemble(), out, "c", RuntimeError(), overwrite=True)
    assert members(out) == ["a", "b"], "it is a training's members so far, and no finished run"


def test_a_finished_run_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "run"
    Classifier(quick(train={"epochs": 1})).fit(scenes(), out=out)
    before = answers(out)
    stopped_in(ensemble(), out, "c", RuntimeError(), overwrite=True)
    assert np.array_equal(answers(out), before)
    Classifier(ensemble()).fit(scenes(), out=out, resume=True)
    assert members(out) == ["a", "b", "c"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Interrupted("training stopped in epoch 2")])
def test_ctrl_c_says_what_stands(error: BaseException, tmp_path: Path) -> None:
    found = stopped_in(ensemble(), tmp_path / "run", "b", error)
    assert isinstance(found, Interrupted)
    assert f"{tmp_path / 'run'} is a whole run of the members before, to be used as any other; b, c" in str(found)
    assert "is a whole run" not in str(stopped_in(ensemble(), tmp_path / "first", "a", type(error)("x")))


def test_a_combiner_of_so_many_members_is_the_mean_of_fewer(tmp_path: Path) -> None:
    out = tmp_path / "run"
    config = ensemble({"name": "lambda_weighted", "weights": (0.5, 0.3, 0.2)})
    stopped_in(config, out, "c", RuntimeError())
    loaded = open_run(out)
    assert loaded.config.ensemble is not None
    assert loaded.config.ensemble.combiner.name == "mean"
    Classifier(config).fit(scenes(), out=out, resume=True)
    assert open_run(out).config.ensemble.combiner.name == "lambda_weighted"  # type: ignore[union-attr]


def test_without_a_folder_nothing_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Classifier(ensemble()).fit(scenes())
    assert list(tmp_path.iterdir()) == []

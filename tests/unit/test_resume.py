"""A training that is killed anywhere, and resumed, ends as one that was left alone: the very same run, bit for bit."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import DataError, RunError
from multitag.features.store import FeatureStore
from multitag.inference import predict_logits
from multitag.interrupts import uninterrupted
from multitag.losses.bce import BCE
from multitag.training import Interrupted
from tiny import write_table
from training_support import TEXT_AND_PICTURE, Kill, contents, quick, scenes, train_in_child, unfrozen


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("resume"), rows=40)


def thorough(models: dict[str, Path], store: Path) -> Config:
    """A stored encoder and one that trains, with dropout everywhere, and two folds."""
    image = {"name": "transformers_image", "model": str(models["resnet"])}
    return quick(
        [f"store.path={store}"],
        encoders={"image": image, **unfrozen(models["bert"])},
        head={"name": "mlp"},
        train={
            "epochs": 3,
            "min_steps": 0,
            "batch_size": 16,
            "checkpoint_seconds": 0,
            "modality_dropout": 0.3,
            "encoder_lr": 1e-3,
        },
        decision={"name": "per_label", "fit_on": "out_of_fold", "folds": 2},
    )


@pytest.fixture(scope="module")
def uninterrupted_run(pictures: Path, models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert train_in_child(thorough(models, folder / "store"), pictures, folder / "run") == 0
    return folder / "run"


# 35 rows to train on are 3 steps an epoch; each step writes the checkpoint, and so does the end of an epoch.
PLACES = {
    "the store's first transaction": Kill("store"),
    "the store's second transaction": Kill("store", 4),
    "the first checkpoint": Kill("checkpoints/main.safetensors", 1),
    "the middle of an epoch": Kill("checkpoints/main.safetensors", 7),
    "between two epochs": Kill("checkpoints/main.safetensors", 5),
    "the end of the last epoch": Kill("checkpoints/main.safetensors", 12),
    "the second fold": Kill("checkpoints/fold2.safetensors", 3),
    "writing the run": Kill(".writing/decision.json"),
    "putting the run in place": Kill("run/decision.json"),
    "dropping the checkpoints": Kill(".done"),
}


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_killed_and_resumed_is_the_run_of_an_uninterrupted_training(
    place: str, pictures: Path, models: dict[str, Path], uninterrupted_run: Path, tmp_path: Path
) -> None:
    config, out = thorough(models, tmp_path / "store"), tmp_path / "run"
    assert train_in_child(config, pictures, out, kill=PLACES[place]) == -signal.SIGKILL
    if place.startswith("the store"):
        with FeatureStore(tmp_path / "store") as store:
            assert len(store) == (0 if "first" in place else 16), "a transaction must be whole or not there"
    elif place != "the first checkpoint":
        # What was done is not done again: there is a checkpoint to go on from.
        assert any((out / "checkpoints").glob("*.safetensors"))
        with pytest.raises(RunError, match="--resume"):
            Classifier(config).fit(pictures, out=out)
    assert train_in_child(config, pictures, out, resume=True) == 0
    found, expected = contents(out), contents(uninterrupted_run)
    for part in expected:
        assert found[part] == expected[part], part


def slow_text(**train: Any) -> Config:
    """Words only, with the state written after every step."""
    return quick(head={"name": "mlp"}, train={"epochs": 4, "checkpoint_seconds": 0, **train})


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A folder in which a training of `slow_text` on `scenes()` was killed in its second epoch."""
    out = tmp_path / "run"
    assert train_in_child(slow_text(), scenes(), out, kill=Kill("main.safetensors", 8)) == -signal.SIGKILL
    return out


def test_steps_done_are_not_done_again(killed: Path) -> None:
    done = []

    class Told:
        def __init__(self, what: str, total: int) -> None:
            self.training = what == "training"

        def __enter__(self) -> Any:
            return lambda rows: done.append(rows) if self.training else None

        def __exit__(self, *error: object) -> None:
            pass

    Classifier(slow_text()).fit(scenes(), out=killed, resume=True, progress=Told)
    assert done[0] == 35 + 8  # the first epoch and a step of 8 rows: what was told before the kill
    assert sum(done) == 4 * 35


def test_other_settings_are_refused_by_name_and_nothing_is_lost(killed: Path) -> None:
    before = (killed / "checkpoints" / "config.toml").read_text()
    with pytest.raises(RunError, match=r"train\.lr was 0\.05 and is 0\.01"):
        Classifier(slow_text(lr=0.01)).fit(scenes(), out=killed, resume=True)
    assert (killed / "checkpoints" / "config.toml").read_text() == before
    Classifier(slow_text()).fit(scenes(), out=killed, resume=True)


def test_what_decides_nothing_may_change(killed: Path, tmp_path: Path) -> None:
    config = slow_text(checkpoint_seconds=7).changed([f"store.path={tmp_path / 'elsewhere'}"])
    assert Classifier(config).fit(scenes(), out=killed, resume=True).fitted_ is not None


def test_other_rows_are_refused(killed: Path) -> None:
    rows = scenes()
    rows[0] = type(rows[0])("row0", text="another text", labels=("sea",))
    with pytest.raises(RunError, match="another training"):
        Classifier(slow_text()).fit(rows, out=killed, resume=True)


def test_other_validation_rows_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(Interrupted):
        Classifier(slow_text()).fit(scenes(), scenes(8, start=50), out=out, on_epoch=_stop)
    with pytest.raises(RunError, match="another training"):
        Classifier(slow_text()).fit(scenes(), scenes(8, start=60), out=out, resume=True)


def _stop(row: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_a_damaged_checkpoint_is_named_and_can_be_left_behind(killed: Path) -> None:
    file = killed / "checkpoints" / "main.safetensors"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(RunError, match=r"main\.safetensors is damaged.*delete it and resume"):
        Classifier(slow_text()).fit(scenes(), out=killed, resume=True)
    file.unlink()
    Classifier(slow_text()).fit(scenes(), out=killed, resume=True)


def test_a_checkpoint_without_its_header_is_damaged(killed: Path) -> None:
    file = killed / "checkpoints" / "main.safetensors"
    save_file(load_file(file), file)
    with pytest.raises(RunError, match="damaged"):
        Classifier(slow_text()).fit(scenes(), out=killed, resume=True)


def test_an_unfinished_run_says_so_when_loaded(killed: Path) -> None:
    with pytest.raises(RunError, match=r"did not finish.*--resume"):
        Classifier.load(killed)


def test_overwrite_starts_an_unfinished_training_anew(killed: Path, tmp_path: Path) -> None:
    Classifier(slow_text(lr=0.01)).fit(scenes(), out=killed, overwrite=True)
    Classifier(slow_text(lr=0.01)).fit(scenes(), out=tmp_path / "fresh")
    assert contents(killed) == contents(tmp_path / "fresh")


def test_a_finished_run_is_not_written_over_nor_resumed(tmp_path: Path) -> None:
    out = tmp_path / "run"
    Classifier(quick()).fit(scenes(), out=out)
    before = contents(out)
    with pytest.raises(RunError, match="already holds a trained run"):
        Classifier(quick(seed=1)).fit(scenes(), out=out)
    with pytest.raises(RunError, match="finished: there is nothing to resume"):
        Classifier(quick()).fit(scenes(), out=out, resume=True)
    assert contents(out) == before
    Classifier(quick(seed=1)).fit(scenes(), out=out, overwrite=True)
    assert contents(out)["model.safetensors"] != before["model.safetensors"]
    assert contents(out)["files"] == before["files"]


def test_the_old_run_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    out, rows = tmp_path / "run", scenes()
    Classifier(quick()).fit(rows, out=out)
    old = contents(out)
    (out / "notes.txt").write_text("mine")
    assert train_in_child(slow_text(), rows, out, overwrite=True, kill=Kill("main.safetensors", 8)) == -signal.SIGKILL
    Classifier.load(out)
    assert contents(out)["model.safetensors"] == old["model.safetensors"]
    assert train_in_child(slow_text(), rows, out, resume=True, kill=Kill(".writing/model.safetensors")) < 0
    Classifier.load(out)
    assert contents(out)["model.safetensors"] == old["model.safetensors"]
    assert train_in_child(slow_text(), rows, out, resume=True) == 0
    assert train_in_child(slow_text(), rows, tmp_path / "fresh") == 0
    assert (out / "notes.txt").read_text() == "mine"
    (out / "notes.txt").unlink()
    assert contents(out) == contents(tmp_path / "fresh")


def test_a_run_elsewhere_is_not_touched_by_a_killed_training(tmp_path: Path) -> None:
    Classifier(quick()).fit(scenes(), out=tmp_path / "old")
    before = contents(tmp_path / "old")
    train_in_child(slow_text(), scenes(), tmp_path / "new", kill=Kill("main.safetensors", 3))
    assert contents(tmp_path / "old") == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_something_else_is_left_alone(overwrite: bool, tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "precious.bin").write_bytes(b"mine")
    with pytest.raises(RunError, match="not empty and no run"):
        Classifier(quick()).fit(scenes(), out=tmp_path, overwrite=overwrite)
    assert (tmp_path / "checkpoints" / "precious.bin").read_bytes() == b"mine"
    shutil.rmtree(tmp_path / "checkpoints")
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(RunError, match="not empty and no run"):
        Classifier(quick()).fit(scenes(), out=tmp_path, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(RunError, match="is a file"):
        Classifier(quick()).fit(scenes(), out=tmp_path / "run")


def test_faulty_rows_leave_no_folder_behind_that_blocks_the_next_try(tmp_path: Path) -> None:
    rows = scenes()
    rows[3] = type(rows[3])("row3", text="a", labels=("lake",))
    with pytest.raises(DataError, match="lake"):
        Classifier(quick(data={"label_names": ("city", "night", "sea")})).fit(rows, out=tmp_path / "run")
    Classifier(quick()).fit(scenes(), out=tmp_path / "run")


def test_resuming_where_nothing_was_begun_begins(tmp_path: Path) -> None:
    Classifier(quick()).fit(scenes(), out=tmp_path / "run", resume=True)
    Classifier.load(tmp_path / "run")


@pytest.mark.parametrize("moment", ["in a step", "while validating", "after an epoch"])
def test_ctrl_c_saves_says_resume_and_loses_nothing(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out, calls = quick(head={"name": "mlp"}, train={"epochs": 4}), tmp_path / "run", []
    Classifier(config).fit(scenes(), out=tmp_path / "whole")

    def counted(original: Any, at: int) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            calls.append(moment)
            if len(calls) == at:
                signal.raise_signal(signal.SIGINT)
            return original(*args, **options)

        return call

    with monkeypatch.context() as patch:
        if moment == "in a step":
            patch.setattr(BCE, "forward", counted(BCE.forward, 7))
        elif moment == "while validating":
            patch.setattr("multitag.training.run.predict_logits", counted(predict_logits, 2))
        after = counted(lambda row: None, 2) if moment == "after an epoch" else lambda row: None
        with pytest.raises(Interrupted) as caught:
            Classifier(config).fit(scenes(), out=out, on_epoch=after)
    epoch = 3 if moment == "after an epoch" else 2
    assert f"epoch {epoch} of 4" in str(caught.value)
    assert "--resume" in str(caught.value)
    assert caught.value.exit_code == 130
    assert not (out / "model.safetensors").exists()
    Classifier(config).fit(scenes(), out=out, resume=True)
    assert contents(out) == contents(tmp_path / "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_a_fold_says_which(tmp_path: Path) -> None:
    config = quick(train={"epochs": 2}, decision={"name": "global_threshold", "fit_on": "out_of_fold", "folds": 3})
    Classifier(config).fit(scenes(), out=tmp_path / "whole")

    def stopping(what: str, total: int) -> Any:
        if what == "fold 2 of 3: training":
            raise KeyboardInterrupt
        return _silent()

    out = tmp_path / "run"
    with pytest.raises(Interrupted, match=r"fold 2 of 3: training stopped .*--resume"):
        Classifier(config).fit(scenes(), out=out, progress=stopping)
    Classifier(config).fit(scenes(), out=out, resume=True)
    assert contents(out) == contents(tmp_path / "whole")


def _silent() -> Any:
    from multitag.progress import silent

    return silent("", 0)


def test_ctrl_c_without_a_folder_does_not_promise_to_resume() -> None:
    with pytest.raises(Interrupted, match="its state was not kept"):
        Classifier(quick()).fit(scenes(), on_epoch=_stop)


def test_ctrl_c_while_pictures_are_looked_at(pictures: Path, tmp_path: Path) -> None:
    def stopping(what: str, total: int) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="while checking"):
        Classifier(quick(encoders=TEXT_AND_PICTURE)).fit(pictures, out=tmp_path / "run", progress=stopping)


def test_ctrl_c_waits_for_the_end_of_a_guarded_block() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_guarded_block_runs_in_other_threads_too() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]

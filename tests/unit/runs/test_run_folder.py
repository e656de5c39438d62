"""The run folder: whole or refused, no code in it, the same answers elsewhere."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import RunError
from multitag.features.store import FeatureStore
from multitag.runs import artifacts
from multitag.runs.folder import NEEDED, write_text
from tiny import picture
from training_support import contents, quick, scenes, unfrozen


@pytest.fixture(scope="module")
def run(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Words, a frozen BERT and a frozen ResNet, trained on rows some of which have pictures."""
    folder = tmp_path_factory.mktemp("run")
    Classifier(mixed(models)).fit(rows(), out=folder / "run")
    return folder / "run"


def mixed(models: dict[str, Path]) -> Config:
    encoders = {
        "words": {"name": "bag_of_ngrams", "min_count": 1},
        "text": {"name": "transformers_text", "model": str(models["bert"])},
        "image": {"name": "transformers_image", "model": str(models["resnet"])},
    }
    return quick(encoders=encoders, head={"name": "mlp"}, decision={"name": "per_label"})


def rows(start: int = 0) -> list[Any]:
    found = []
    for n, sample in enumerate(scenes(20, start=start)):
        if n % 2:
            buffer = io.BytesIO()
            picture(start + n).save(buffer, "PNG")
            found.append(replace(sample, image=buffer.getvalue()))
        else:
            found.append(sample)
    return found


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "copy"))


def test_it_holds_toml_json_and_safetensors_and_nothing_else(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert names == {*NEEDED, "README.md", "metrics.json", "history.jsonl", "environment.json"}
    for path in run.iterdir():
        assert path.suffix in (".toml", ".json", ".jsonl", ".safetensors", ".md")
        if path.suffix == ".safetensors":
            load_file(path)
        elif path.suffix == ".json":
            json.loads(path.read_text(), parse_constant=_no_constant)
        elif path.suffix == ".jsonl":
            [json.loads(line, parse_constant=_no_constant) for line in path.read_text().splitlines()]
        elif path.suffix == ".toml":
            Config.read(path)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def test_loading_unpickles_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **options: Any) -> None:
        raise AssertionError("something was unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, never)
    Classifier.load(run).predict(rows())


def test_loaded_elsewhere_it_gives_the_same_probabilities(
    run: Path, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Classifier(mixed(models)).fit(rows())
    moved = Path(shutil.copytree(run, tmp_path / "far" / "away"))
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("MULTITAG_STORE", str(tmp_path / "another store"))
    loaded = Classifier.load("../far/away")
    new = rows(start=40)
    # Another store, and a store filled in other batches: equal but for the last digits.
    np.testing.assert_allclose(loaded.predict_proba(new).values, expected.predict_proba(new).values, atol=1e-6)
    assert loaded.predict(new).labels == expected.predict(new).labels
    again = Classifier.load(moved).predict_proba(new).values
    np.testing.assert_array_equal(loaded.predict_proba(new).values, again)
    assert loaded.labels_ == expected.labels_
    assert loaded.fitted_ is None


def test_a_store_that_is_not_on_this_machine_is_not_asked_for(copy: Path) -> None:
    text = (copy / "config.toml").read_text()
    assert 'path = "auto"' in text
    (copy / "config.toml").write_text(text.replace('path = "auto"', 'path = "/nowhere/at/all"'))
    Classifier.load(copy).predict(rows())


@pytest.mark.parametrize("name", NEEDED)
def test_a_folder_cut_short_is_refused_with_what_it_lacks(name: str, copy: Path) -> None:
    (copy / name).unlink()
    with pytest.raises(RunError, match=f"lacks {name}"):
        Classifier.load(copy)


def test_a_configuration_cut_between_two_settings_is_refused(copy: Path) -> None:
    """Each such cut is TOML, and most are configurations: of other runs."""
    lines = (copy / "config.toml").read_text("utf-8").splitlines(keepends=True)
    last = lines.index("[store]\n")
    for end in range(1, last + 1):
        (copy / "config.toml").write_text("".join(lines[:end]), "utf-8")
        with pytest.raises(RunError, match=r"config\.toml"):
            Classifier.load(copy)


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("damage", ["half", "empty", "noise"])
def test_a_damaged_file_is_refused_by_name(name: str, damage: str, copy: Path) -> None:
    data = (copy / name).read_bytes()
    changed = {"half": data[: len(data) // 2], "empty": b"", "noise": b"\xff\xfe\x00noise"}[damage]
    (copy / name).write_bytes(changed)
    with pytest.raises(RunError) as caught:
        Classifier.load(copy)
    if not (name == "config.toml" and damage != "noise"):  # half a TOML file may be one, of another run
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels.json", ["only"]),
        ("labels.json", {"a": 1}),
        ("labels.json", 7),
        ("preprocess.json", []),
        ("preprocess.json", {"format": 2}),
        ("preprocess.json", {"format": 2, "networks": []}),
        ("preprocess.json", {"format": 2, "networks": [{"encoders": {}}]}),
        ("preprocess.json", {"networks": []}),
        ("decision.json", {}),
        ("decision.json", {"always_labelled": True, "calibration": None, "decision": None}),
    ],
)
def test_json_of_another_shape_is_refused(name: str, value: Any, copy: Path) -> None:
    (copy / name).write_text(json.dumps(value))
    with pytest.raises(RunError, match=r"damaged|labels"):
        Classifier.load(copy)


def test_a_decision_of_another_number_of_labels_is_refused(copy: Path) -> None:
    saved = json.loads((copy / "decision.json").read_text())
    saved["calibration"]["state"]["slopes"].append(1.0)
    saved["calibration"]["state"]["offsets"].append(0.0)
    (copy / "decision.json").write_text(json.dumps(saved))
    with pytest.raises(RunError, match="damaged"):
        Classifier.load(copy)


def test_held_out_rows_of_other_labels_are_refused(copy: Path) -> None:
    save_file({"logits": torch.zeros(3, 9), "gold": torch.zeros(3, 9)}, copy / "held_out.safetensors")
    with pytest.raises(RunError, match="held_out"):
        Classifier.load(copy)


def test_a_run_from_the_future_says_upgrade(copy: Path) -> None:
    saved = json.loads((copy / "preprocess.json").read_text())
    (copy / "preprocess.json").write_text(json.dumps({**saved, "format": 99}))
    # Whatever else the future brought:
    (copy / "config.toml").write_text("[brain]\nsize = 7\n")
    with pytest.raises(RunError, match=r"newer multitag \(format 99.*upgrade"):
        Classifier.load(copy)


def test_a_run_from_before_the_first_release_says_so(copy: Path) -> None:
    (copy / "preprocess.json").write_text(json.dumps({"format": 1, "encoders": {}}))
    with pytest.raises(RunError, match=r"before its first release \(format 1.*train again"):
        Classifier.load(copy)


def test_no_folder_and_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        Classifier.load(tmp_path / "nothing")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(RunError, match="not a whole run folder"):
        Classifier.load(tmp_path)


def test_a_frozen_encoder_that_is_gone_is_named(copy: Path, models: dict[str, Path], tmp_path: Path) -> None:
    text = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(text.replace(str(models["bert"]), str(tmp_path / "gone")))
    with pytest.raises(RunError, match=r"frozen encoder 'text'(.|\n)*gone"):
        Classifier.load(copy)


def test_a_frozen_encoder_that_changed_is_refused(copy: Path, models: dict[str, Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(models["bert"], tmp_path / "other"))
    text = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(text.replace(str(models["bert"]), str(other)))
    Classifier.load(copy)  # the same weights in another place will do
    weights = load_file(other / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][5, 0] += 1e-3
    save_file(weights, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(RunError, match=r"another encoder 'text' .*than the one on this machine"):
        Classifier.load(copy)


def test_metrics_history_and_environment_say_what_was_done(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    counts = metrics["rows"]
    assert counts["train"] + counts["valid"] == 20
    assert counts["unlabelled"] == counts["bad_pictures"] == 0
    assert metrics["decision"] == "per_label"
    assert metrics["validation"]["rows"] == counts["valid"] > 0
    assert set(metrics["validation"]["metrics"]["samples_f1"]) == {"value", "low", "high"}
    assert [label["label"] for label in metrics["validation"]["labels"]] == ["animal", "people", "sea"]
    assert {"checking", "encoding", "training", "testing", "deciding"} == set(metrics["seconds"])
    size = metrics["size"]
    on_disk = sum(t.numel() * t.element_size() for t in load_file(run / "model.safetensors").values())
    assert size["trained_megabytes"] == pytest.approx(on_disk / 1e6, abs=1e-3)
    assert size["frozen_parameters"] > 1000
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in history] == list(range(1, len(history) + 1))
    assert {"epoch", "train_loss", "lr", "valid_loss", "valid_calibrated_loss", "seconds"} == set(history[0])
    environment = json.loads((run / "environment.json").read_text())
    assert (
        environment["packages"]["torch"] == torch.__version__ or environment["packages"]["torch"] in torch.__version__
    )
    assert {"multitag", "python", "platform", "written"} <= set(environment)


def test_a_history_with_a_score_that_is_not_defined_is_strict_json(run: Path, tmp_path: Path) -> None:
    pipeline = Classifier.load(run).pipeline_
    artifacts.save_run(pipeline, tmp_path, history=[{"epoch": 1, "valid_map": float("nan")}])
    assert json.loads((tmp_path / "history.jsonl").read_text(), parse_constant=_no_constant)["valid_map"] is None


def test_loaded_and_saved_again_is_the_same_run(run: Path, tmp_path: Path) -> None:
    Classifier.load(run).save(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(run)


def test_another_decision_needs_no_training_and_can_be_kept(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multitag.fitting.fitter.train", None)
    loaded = Classifier.load(run)
    before = loaded.predict(rows())
    after = loaded.set_decision("top_k", k=2, never_empty="no").predict(rows())
    assert [len(labels) for labels in after.labels] == [2] * len(after.ids)
    assert [len(labels) for labels in before.labels] != [2] * len(after.ids)
    np.testing.assert_array_equal(before.probabilities, after.probabilities)
    assert loaded.config.decision.name == "top_k"
    loaded.save(tmp_path / "kept")
    assert Classifier.load(tmp_path / "kept").predict(rows()).labels == after.labels


def test_a_decision_kept_alone_counts_over_the_configuration(copy: Path) -> None:
    loaded = Classifier.load(copy).set_decision("top_k", k=1)
    artifacts.save_decision(loaded.pipeline_, copy)
    again = Classifier.load(copy)
    assert again.config.decision.name == "top_k"
    assert again.predict(rows()).labels == loaded.predict(rows()).labels
    again.save(copy)
    assert Classifier.load(copy).config.decision.name == "top_k"


def test_another_decision_does_not_forget_how_the_table_is_read(run: Path) -> None:
    loaded = Classifier.load(run)
    loaded.config = loaded.config.with_data({"on_bad_image": "missing"})
    assert loaded.set_decision("top_k", k=1).config.data.on_bad_image == "missing"


def test_loading_leaves_the_callers_random_state_alone(run: Path, models: dict[str, Path], tmp_path: Path) -> None:
    Classifier(quick(encoders=unfrozen(models["bert"]), train={"epochs": 1})).fit(scenes(10), out=tmp_path / "run")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Classifier.load(run)
    Classifier.load(tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


def test_a_full_disk_leaves_the_old_run_and_no_litter(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, before = Classifier.load(copy).set_decision("top_k"), contents(copy)

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match="No space left"):
            loaded.save(copy)
        with pytest.raises(RunError, match="No space left"):
            write_text(copy / "config.toml", "half")
    Classifier.load(copy)
    found = contents(copy)
    assert {**found, "files": None} == {**before, "files": None}
    assert not [name for name in found["files"] if name.endswith(".tmp")]
    loaded.save(copy)
    assert contents(copy)["files"] == before["files"]


@pytest.fixture(scope="module")
def trained(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Classifier, Path]:
    folder = tmp_path_factory.mktemp("unfrozen")
    original = Path(shutil.copytree(models["bert"], folder / "original"))
    encoders = {
        **unfrozen(original),
        "image": {"name": "transformers_image", "model": str(models["resnet"]), "frozen": False},
    }
    config = quick([f"store.path={folder / 'store'}"], encoders=encoders, train={"encoder_lr": 1e-3})
    classifier = Classifier(config).fit(rows(), out=folder / "run")
    shutil.rmtree(original)
    return classifier, folder


def test_the_weights_of_an_encoder_that_trains_change_and_are_in_the_run(
    trained: tuple[Classifier, Path], models: dict[str, Path]
) -> None:
    before = load_file(models["bert"] / "model.safetensors")
    after = load_file(trained[1] / "run" / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    assert (after[f"0.encoders.text.net.{name}"] - before[name]).abs().max() > 1e-4
    assert any(key.startswith("0.encoders.image.") for key in after)


def test_an_encoder_that_trains_loads_without_the_folder_it_came_from(trained: tuple[Classifier, Path]) -> None:
    classifier, folder = trained
    expected = classifier.predict_proba(rows(start=40)).values
    np.testing.assert_array_equal(Classifier.load(folder / "run").predict_proba(rows(start=40)).values, expected)


def test_configuration_and_tokenizer_of_an_encoder_that_trains_are_in_the_run(
    trained: tuple[Classifier, Path],
) -> None:
    saved = json.loads((trained[1] / "run" / "preprocess.json").read_text())["networks"][0]["encoders"]["text"]
    assert saved["fingerprint"] is None
    assert saved["assets"]["config"]["hidden_size"] == 16
    assert "tokenizer.json" in saved["assets"]["tokenizer"]


def test_an_encoder_that_trains_never_touches_the_store(trained: tuple[Classifier, Path]) -> None:
    with FeatureStore(trained[1] / "store") as store:
        assert len(store) == 0


def test_with_encoders_that_train_batches_and_order_change_nothing(trained: tuple[Classifier, Path]) -> None:
    classifier, new = trained[0], rows(start=60)
    whole = classifier.predict_proba(new).values
    turned = classifier.predict_proba(new[::-1]).values[::-1]
    alone = np.vstack([classifier.predict_proba([row]).values for row in new])
    np.testing.assert_allclose(turned, whole, atol=1e-5)
    np.testing.assert_allclose(alone, whole, atol=1e-5)


def test_with_encoders_that_train_rows_without_anything_get_an_answer(trained: tuple[Classifier, Path]) -> None:
    empty = [type(rows()[0])(f"empty{n}") for n in range(3)]
    assert np.isfinite(trained[0].predict_proba(empty).values).all()

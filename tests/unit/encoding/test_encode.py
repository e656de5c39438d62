"""Encoding ahead: the store that training and predicting would have filled, however the work is shared."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fakes import entries
from memes import memes, write
from multitag.classifier import Classifier
from multitag.config import Config
from multitag.encoding import Encoding, ahead, encode
from multitag.encoding.plan import plan_of, reader_of
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError, DataError, DataWarning, MultitagError
from multitag.features.share import Share
from multitag.features.store import FeatureStore
from multitag.tagger import SpanTagger
from tiny import write_table
from training_support import quick


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four chunks of pictures."""
    return write_table(tmp_path_factory.mktemp("rows"), rows=60)


@pytest.fixture
def config(models: dict[str, Path], tmp_path: Path) -> Callable[..., Config]:
    """A configuration of a tiny ResNet and a tiny BERT, with a store of its own."""

    def made(store: str, *changes: str, text: dict[str, Any] | None = None) -> Config:
        encoders = {
            "image": {"name": "transformers_image", "model": str(models["resnet"])},
            "text": text or {"name": "transformers_text", "model": str(models["bert"])},
        }
        own = [f"store.path={tmp_path / store}", "store.runtime=torch"]
        return quick([*own, *changes], encoders=encoders, train={"epochs": 1})

    return made


def counts(found: Encoding) -> dict[str, tuple[int, int]]:
    return {each.name: (each.contents, each.encoded) for each in found.encoders}


def nothing_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FeatureStore, "add", lambda *some: pytest.fail("something was not in the store"))


def test_training_and_predicting_find_all_in_the_store(
    rows: Path, config: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = encode([rows], config("store"))
    assert counts(found) == {"image": (60, 60), "text": (48, 48)}
    assert (found.rows, found.store, found.without, found.encoded) == (60, tmp_path / "store", {}, 108)
    assert counts(encode([rows], config("store"))) == {"image": (60, 0), "text": (48, 0)}
    nothing_is_encoded(monkeypatch)
    model = Classifier(config("store", "train.folds=2")).fit(rows)
    model.predict(rows)


def test_two_tables_are_encoded_together_each_picture_once(
    rows: Path, config: Callable[..., Config], tmp_path: Path
) -> None:
    other = write_table(tmp_path / "other", rows=70)
    assert counts(encode([rows, other], config("store")))["image"] == (70, 70)


def test_processes_make_the_store_of_one(rows: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    encode([rows], config("one"))
    told: list[list[Any]] = []

    class Told:
        def __init__(self, what: str, total: int) -> None:
            told.append([what, total, 0])

        def __enter__(self) -> Callable[[int], None]:
            return lambda done: told[-1].__setitem__(2, told[-1][2] + done)

        def __exit__(self, *error: object) -> None:
            pass

    before = dict(os.environ)
    found = encode([rows], config("two"), processes=2, progress=Told)
    assert counts(found) == {"image": (60, 60), "text": (48, 48)}
    assert entries(tmp_path / "two") == entries(tmp_path / "one")
    assert told[-1] == ["encoding in 2 processes", 108, 108]
    assert dict(os.environ) == before


@pytest.mark.usefixtures("forked")
def test_machines_with_a_store_each_make_the_store_of_one(
    rows: Path, config: Callable[..., Config], tmp_path: Path
) -> None:
    encode([rows], config("one"))
    for index, processes in ((1, 1), (0, 2), (2, 1)):
        encode([rows], config(str(index)), share=Share(index, 3), processes=processes)
    found = encode([rows], config("0"), merge=[tmp_path / "1", tmp_path / "2"])
    assert counts(found) == {"image": (60, 0), "text": (48, 0)}
    assert found.merged == {str(tmp_path / name): len(entries(tmp_path / name)) for name in ("1", "2")}
    assert entries(tmp_path / "0") == entries(tmp_path / "one")


def test_a_share_that_is_lost_is_made_up_for(rows: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    encode([rows], config("one"))
    encode([rows], config("first"), share="1/3")
    found = encode([rows], config("all"), merge=[tmp_path / "first"])
    assert 0 < found.encoded < 108
    assert entries(tmp_path / "all") == entries(tmp_path / "one")


def test_merging_needs_no_table(rows: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    encode([rows], config("one"))
    found = encode([], config("other"), merge=[tmp_path / "one"])
    assert (found.rows, found.encoders, found.merged) == (0, (), {str(tmp_path / "one"): 108})
    with pytest.raises(DataError, match="nowhere is no feature store: it has no file"):
        encode([], config("other"), merge=[tmp_path / "nowhere"])


def test_the_encoders_of_a_run(
    rows: Path, config: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Classifier(config("store", "train.folds=2")).fit(rows, out=tmp_path / "run")
    new = write_table(tmp_path / "new", rows=80)
    found = encode([new], tmp_path / "run", data={"id": "ImageID"})
    assert counts(found)["image"] == (80, 20)
    assert (found.store, found.without) == (tmp_path / "store", {})
    nothing_is_encoded(monkeypatch)
    Classifier.load(tmp_path / "run").predict(new)


@pytest.mark.usefixtures("forked")
def test_what_has_nothing_to_store_says_why(rows: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    words = config("store", text={"name": "bag_of_ngrams", "ngrams": 1, "min_count": 1})
    found = encode([rows], words)
    assert counts(found) == {"image": (60, 60)}
    assert found.without == {"text": "it learns from the rows that a model is trained on"}
    trained = words.changed(["encoders.image.frozen=no"])
    found = encode([rows], trained, processes=2)
    assert found.encoders == ()
    assert found.without["image"] == "it trains with the model"
    Classifier(words).fit(rows, out=tmp_path / "run")
    assert list(encode([rows], tmp_path / "run").without) == ["text"]


def test_an_ensemble_shares_what_its_members_share(
    rows: Path, config: Callable[..., Config], models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = config("store")
    other = config("store", text={"name": "transformers_text", "model": str(models["albert"])})
    tokens = base.changed(["fusion.name=cross_attention"])
    ensemble = Ensemble({"first": base, "second": other, "third": tokens})
    found = encode([rows], ensemble.config)
    assert counts(found) == {"first.image": (60, 60), "first.text": (48, 48), "second.text": (48, 48)}
    nothing_is_encoded(monkeypatch)
    ensemble.fit(rows)


def spans(models: dict[str, Path], store: Path, *, frozen: bool, pictures: bool = False) -> Config:
    encoders: dict[str, Any] = {
        "text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": frozen, "max_length": 6}
    }
    if pictures:
        encoders["image"] = {"name": "transformers_image", "model": str(models["resnet"])}
    return Config.parse(
        {
            "task": "spans",
            "encoders": encoders,
            "fusion": {"name": "concat" if pictures else "single"},
            "head": {"name": "linear"},
            "train": {"epochs": 1, "min_steps": 0, "folds": 0},
            "store": {"path": str(store), "runtime": "torch"},
        }
    )


def test_texts_of_spans_are_encoded_in_their_windows(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = write(tmp_path / "memes.json", memes(20))
    config = spans(models, tmp_path / "store", frozen=True)
    found = encode([rows], config)
    assert found.encoders[0].contents > len({row["text"] for row in memes(20)}), "no text was cut"
    nothing_is_encoded(monkeypatch)
    SpanTagger(config).fit(rows).predict(rows)


def test_pictures_beside_a_text_encoder_that_trains(models: dict[str, Path], tmp_path: Path) -> None:
    found = encode(
        [write(tmp_path / "memes.json", memes(8))], spans(models, tmp_path / "store", frozen=False, pictures=True)
    )
    assert [each.name for each in found.encoders] == ["image"]
    assert found.without == {"text": "it trains with the model"}


@pytest.mark.parametrize("change", ["fusion.name=concat", "fusion.name=cross_attention", "head.name=label_queries"])
def test_the_plan_wants_the_tokens_that_the_model_reads(
    change: str, rows: Path, config: Callable[..., Config], tmp_path: Path
) -> None:
    plan = plan_of(reader_of(config("store", change)))
    model = Classifier(config("store", change)).fit(rows)
    (network,) = model.pipeline_.scorer.each  # type: ignore[attr-defined]
    assert {each.name for each in plan.wanted.values() if each.tokens} == network.model.reads_tokens


def test_faults_are_told_before_anything_is_encoded(rows: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="processes = 0; accepted: 1 or more"):
        encode([rows], config("store"), processes=0)
    (tmp_path / "bad.csv").write_text("image,caption,labels\nnone.png,a dog,animal\n")
    with pytest.raises(DataError, match=r"none\.png"):
        encode([tmp_path / "bad.csv"], config("store"))
    assert entries(tmp_path / "store") == {}
    with pytest.warns(DataWarning, match="could not be used"):
        found = encode([tmp_path / "bad.csv"], config("store"), data={"on_bad_image": "missing"})
    assert counts(found) == {"image": (0, 0), "text": (1, 1)}


@pytest.mark.usefixtures("forked")
def test_a_process_that_comes_to_nothing_is_told(
    config: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that is there when all are looked at, and gone when it is read."""
    rows = write_table(tmp_path / "rows", rows=20)
    check = ahead.check_rows

    def lose(*some: Any, **options: Any) -> Any:
        found = check(*some, **options)
        (tmp_path / "rows" / "17.png").unlink()
        return found

    monkeypatch.setattr(ahead, "check_rows", lose)
    with pytest.raises(MultitagError, match="processes came to nothing; what was encoded is in the store") as raised:
        encode([rows], config("store"), processes=2)
    raised.match(r"process 1 of 2: .*17\.png")
    assert len(entries(tmp_path / "store")) >= 16

"""The verbs: any input, any row, any order, and warnings where a result is doubtful."""

from __future__ import annotations

import copy
import io
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from multitag.classifier import Classifier
from multitag.errors import ConfigError, DataError, DataWarning, NotFittedError
from multitag.types import Sample
from tiny import picture, write_table
from training_support import quick, scenes


def both(models: dict[str, Path], **sections: Any) -> Classifier:
    encoders = {
        "text": {"name": "transformers_text", "model": str(models["bert"])},
        "image": {"name": "transformers_image", "model": str(models["resnet"])},
    }
    return Classifier(quick(encoders=encoders, head={"name": "mlp"}, **sections))


@pytest.fixture(scope="module")
def fitted(models: dict[str, Path], table: Path) -> Classifier:
    """Trained on 24 rows with pictures, some without a caption."""
    return both(models).fit(table)


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    picture(seed).save(buffer, "PNG")
    return buffer.getvalue()


def mixed_rows(count: int = 12) -> list[Sample]:
    """Rows with both, without a picture, without a text, with neither."""
    texts = ["a dog", "the boat near a house", "two men", "cat"]
    return [
        Sample(f"r{n}", image=png(n) if n % 3 else None, text=texts[n % 4] if n % 4 else ("" if n % 8 else None))
        for n in range(count)
    ]


def test_path_polars_pandas_and_samples_are_one(fitted: Classifier, table: Path) -> None:
    expected = fitted.predict(table)
    frame = pl.read_csv(table)
    sources = {
        "text": (str(table), None),
        "polars": (frame, table.parent),
        "pandas": (pd.read_csv(table, keep_default_na=False), table.parent),
        "samples": (fitted.read(table).samples, None),
    }
    for name, (source, images) in sources.items():
        found = fitted.predict(source, images=images)
        assert found.ids == expected.ids, name
        np.testing.assert_array_equal(found.probabilities, expected.probabilities, err_msg=name)
        assert found.labels == expected.labels, name


def test_fit_takes_every_source_too(models: dict[str, Path], table: Path) -> None:
    expected = both(models).fit(table).predict_proba(table).values
    frames = (pl.read_csv(table), pd.read_csv(table, keep_default_na=False))
    for source in frames:
        found = both(models).fit(source, images=table.parent).predict_proba(table).values
        np.testing.assert_array_equal(found, expected)


def test_rows_without_picture_or_text_or_both_get_finite_answers(fitted: Classifier) -> None:
    rows = mixed_rows()
    assert any(row.image is None and not row.text for row in rows)
    predictions = fitted.predict(rows)
    assert np.isfinite(predictions.probabilities).all()
    assert ((predictions.probabilities >= 0) & (predictions.probabilities <= 1)).all()
    assert all(predictions.labels), "never empty, as in training"


def test_order_and_batch_change_nothing(fitted: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = mixed_rows(20)
    whole = fitted.predict(rows)
    turned = fitted.predict(rows[::-1])
    np.testing.assert_allclose(turned.probabilities[::-1], whole.probabilities, atol=1e-5)
    assert turned.ids == whole.ids[::-1]
    alone = np.vstack([fitted.predict([row]).probabilities for row in rows])
    np.testing.assert_allclose(alone, whole.probabilities, atol=1e-5)
    monkeypatch.setattr("multitag.inference.BATCH_ROWS", 3)
    np.testing.assert_allclose(fitted.predict(rows).probabilities, whole.probabilities, atol=1e-5)


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_a_stream_is_the_prediction_of_the_whole(chunk: int, fitted: Classifier, table: Path) -> None:
    whole = fitted.predict(table)
    parts = list(fitted.stream(table, chunk_rows=chunk))
    assert [len(part) for part, _ in parts] == [len(p.ids) for _, p in parts]
    assert sum((p.ids for _, p in parts), ()) == whole.ids
    np.testing.assert_allclose(np.vstack([p.probabilities for _, p in parts]), whole.probabilities, atol=1e-5)
    assert [labels for _, p in parts for labels in p.labels] == whole.labels


def test_predictions_are_written_in_the_tables_shape(fitted: Classifier, table: Path, tmp_path: Path) -> None:
    assert fitted.predict_to(table, tmp_path / "out.csv", chunk_rows=7) == 24
    written = pl.read_csv(tmp_path / "out.csv")
    assert written.columns == ["ImageID", "Labels"]
    found = [tuple(sorted(cell.split())) for cell in written["Labels"]]
    assert found == [tuple(sorted(labels)) for labels in fitted.predict(table).labels]


def test_probabilities_are_those_behind_the_labels(fitted: Classifier, table: Path) -> None:
    probabilities, predictions = fitted.predict_proba(table), fitted.predict(table)
    np.testing.assert_array_equal(probabilities.values, predictions.probabilities)
    assert probabilities.ids == predictions.ids
    assert probabilities.space == predictions.space == fitted.labels_


def test_before_fit_every_verb_says_so(tmp_path: Path) -> None:
    classifier = Classifier(quick())
    calls = [
        lambda: classifier.predict(tmp_path / "not even read.csv"),
        lambda: classifier.predict_proba(tmp_path / "not even read.csv"),
        lambda: classifier.evaluate(tmp_path / "not even read.csv"),
        lambda: next(classifier.stream(tmp_path / "not even read.csv")),
        lambda: classifier.save(tmp_path / "run"),
        lambda: classifier.set_decision("top_k"),
        lambda: classifier.labels_,
    ]
    for call in calls:
        with pytest.raises(NotFittedError, match=r"call fit, or Classifier\.load"):
            call()


def test_a_table_of_pictures_only(models: dict[str, Path], tmp_path: Path) -> None:
    table = write_table(tmp_path)
    frame = pl.read_csv(table).drop("Caption")
    classifier = both(models).fit(frame, images=tmp_path)
    assert np.isfinite(classifier.predict_proba(frame, images=tmp_path).values).all()
    assert np.isfinite(classifier.predict_proba([Sample("t", text="a dog")]).values).all()


def test_a_table_of_texts_only(models: dict[str, Path]) -> None:
    classifier = both(models).fit(scenes())
    assert np.isfinite(classifier.predict_proba(mixed_rows()).values).all()


def test_an_encoder_that_learns_words_needs_words() -> None:
    rows = [Sample(f"r{n}", image=png(n), labels=(("a", "b")[n % 2],)) for n in range(8)]
    with pytest.raises(DataError, match=r"no training row has a text.*--without text"):
        Classifier(quick()).fit(rows)


class TestBadPictures:
    """Pictures that cannot be used: all named at once and before any work, or left out and named."""

    @staticmethod
    def rows(folder: Path, count: int = 20) -> list[Sample]:
        rows = [replace(s, image=png(n)) for n, s in enumerate(scenes(count))]
        (folder / "cut.png").write_bytes(png(1)[:60])
        rows[3], rows[7] = replace(rows[3], image=folder / "cut.png"), replace(rows[7], image=folder / "gone.png")
        return rows

    def test_are_one_error_before_anything_is_encoded(
        self, models: dict[str, Path], fitted: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*args: Any, **options: Any) -> None:
            raise AssertionError("encoded before the pictures were checked")

        rows = self.rows(tmp_path)
        monkeypatch.setattr("multitag.networks.fill", never)
        for verb in (fitted.predict, fitted.evaluate, both(models).fit, lambda r: list(fitted.stream(r))):
            with pytest.raises(DataError, match="pictures of 2 rows") as caught:
                verb(rows)
            assert "cut.png" in str(caught.value)
            assert "gone.png" in str(caught.value)

    def test_of_both_tables_are_one_error(self, models: dict[str, Path], tmp_path: Path) -> None:
        valid = [replace(row, id=f"v{row.id}") for row in self.rows(tmp_path, 10)]
        with pytest.raises(DataError, match="pictures of 4 rows"):
            both(models).fit(self.rows(tmp_path), valid)

    def test_as_missing_are_predicted_and_reported_once(self, models: dict[str, Path], tmp_path: Path) -> None:
        classifier = both(models, data={"on_bad_image": "missing"})
        rows = self.rows(tmp_path)
        with pytest.warns(DataWarning, match=r"pictures of 2 rows could not be used.*cut\.png") as caught:
            classifier.fit(rows)
        assert len([w for w in caught if "could not be used" in str(w.message)]) == 1
        assert classifier.fitted_ is not None
        assert classifier.fitted_.rows["bad_pictures"] == 2
        without = [replace(row, image=None) if n in (3, 7) else row for n, row in enumerate(rows)]
        for verb in (classifier.predict, classifier.predict_proba, classifier.evaluate):
            with pytest.warns(DataWarning, match="pictures of 2 rows") as caught:
                verb(rows)
            assert len([w for w in caught if "were trained on" not in str(w.message)]) == 1
        with pytest.warns(DataWarning, match="pictures of 2 rows") as caught:
            parts = [p for _, p in classifier.stream(rows, chunk_rows=5)]
        assert len(caught) == 1
        expected = classifier.predict(without).probabilities
        np.testing.assert_allclose(np.vstack([p.probabilities for p in parts]), expected, atol=1e-5)


def notes(rows: list[Sample], valid: list[Sample] | None = None, **sections: Any) -> tuple[Classifier, list[str]]:
    classifier = Classifier(quick(**sections))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        classifier.fit(rows, valid)
    found = [str(warning.message) for warning in caught if issubclass(warning.category, DataWarning)]
    assert len(found) == len(set(found)), "each thing is said once"
    assert all(warning.filename == __file__ for warning in caught if issubclass(warning.category, DataWarning))
    return classifier, found


def test_healthy_rows_raise_no_warning() -> None:
    assert notes(scenes())[1] == []


def test_one_label_only_is_a_yes_or_no_question() -> None:
    rows = [
        Sample(f"r{n}", text="a dog" if n % 2 else "a boat", labels=("animal",) if n % 2 else ()) for n in range(20)
    ]
    classifier, found = notes(rows)
    assert any("only one label, 'animal'" in note for note in found)
    assert classifier.predict([Sample("a", text="a dog"), Sample("b", text="a boat")]).labels == [("animal",), ()]


def test_a_label_with_a_single_example_is_doubtful_and_known() -> None:
    rows = [*scenes(30), Sample("rare", text="a rare cat", labels=("rare",))]
    classifier, found = notes(rows)
    assert any("1 labels have a single example" in note and "rare" in note for note in found)
    assert "rare" in classifier.labels_.names


def test_all_rows_with_the_same_set_are_repeated() -> None:
    rows = [Sample(f"r{n}", text=f"text number {n}", labels=("a", "b")) for n in range(12)]
    classifier, found = notes(rows)
    assert any("all rows have the same labels" in note for note in found)
    assert classifier.predict([Sample("x", text="another text")]).labels == [("a", "b")]


def test_two_rows_are_enough_one_is_not() -> None:
    rows = [Sample("a", text="dog", labels=("x",)), Sample("b", text="boat", labels=("y",))]
    classifier, _ = notes(rows)
    assert np.isfinite(classifier.predict_proba(rows).values).all()
    with pytest.raises(DataError, match="too few"):
        Classifier(quick()).fit(rows[:1])


def test_rows_without_any_label_teach_nothing() -> None:
    rows = [Sample(f"r{n}", text=f"text {n}", labels=()) for n in range(5)]
    with pytest.raises(DataError, match="no row of the 5 has a label"):
        Classifier(quick()).fit(rows)
    with pytest.raises(DataError, match="labels of all 5 rows are empty"):
        Classifier(quick()).fit([replace(row, labels=None) for row in rows])


def test_unlabelled_rows_are_left_out_and_counted() -> None:
    rows = [*scenes(), *(replace(s, labels=None) for s in scenes(3, start=100))]
    classifier, found = notes(rows)
    assert any(note.startswith("3 rows of") and "left out" in note for note in found)
    assert classifier.fitted_ is not None
    counts = classifier.fitted_.rows
    assert (counts["train"] + counts["valid"], counts["unlabelled"]) == (40, 3)


NOTHING = [Sample(f"none{n}", text=f"nothing here {n}", labels=()) for n in range(10)]


def test_where_some_rows_have_no_label_a_prediction_may_be_empty() -> None:
    rows = [*scenes(), *NOTHING]
    classifier, _ = notes(rows)
    assert not classifier.pipeline_.held_out.always_labelled
    assert classifier.predict([Sample("n", text="nothing here")]).labels == [()]
    forced = classifier.set_decision("global_threshold", never_empty="yes").predict([Sample("n", text="nothing here")])
    assert len(forced.labels[0]) == 1


def test_where_every_row_has_a_label_so_has_every_prediction() -> None:
    strange = [Sample(f"s{n}", text=text) for n, text in enumerate(["zzz", "", "q q q"])]
    classifier, _ = notes(scenes())
    assert classifier.pipeline_.held_out.always_labelled
    unsure = classifier.set_decision("top_k", k=1, never_empty="auto").predict(strange)
    assert all(len(labels) == 1 for labels in unsure.labels)


def test_one_empty_row_is_heeded_on_whichever_side_it_falls() -> None:
    for seed in range(4):
        classifier, _ = notes([*scenes(), NOTHING[0]], seed=seed)
        assert not classifier.pipeline_.held_out.always_labelled


def test_rows_that_cannot_tell_do_not_forbid_empty_predictions() -> None:
    rows = [Sample(f"r{n}", text="a dog" if n % 2 else "it", labels=("a",), unknown=()) for n in range(8)]
    unsure = [Sample(f"u{n}", text="a boat", labels=(), unknown=("a",)) for n in range(4)]
    assert notes([*rows, *unsure])[0].pipeline_.held_out.always_labelled
    empty = [Sample(f"e{n}", text="a tree", labels=()) for n in range(4)]
    assert not notes([*rows, *unsure, *empty])[0].pipeline_.held_out.always_labelled


def test_declared_labels_are_the_labels_in_their_order() -> None:
    names = ["sea", "people", "animal", "never"]
    classifier, found = notes(scenes(), data={"label_names": names})
    assert classifier.labels_.names == tuple(names)
    assert any("no example" in note and "never" in note for note in found)


def test_a_label_that_is_not_declared_is_an_error() -> None:
    with pytest.raises(DataError, match="'people'"):
        Classifier(quick(data={"label_names": ["sea", "animal"]})).fit(scenes())


def test_labels_never_seen_in_training_count_as_missed_and_warn() -> None:
    classifier = Classifier(quick()).fit(scenes())
    test = [*scenes(10, start=50), Sample("new", text="a dog runs", labels=("animal", "brand-new"))]
    plain = classifier.evaluate(test[:-1], rounds=10)
    with pytest.warns(DataWarning, match="1 labels were never seen in training.*brand-new") as caught:
        result = classifier.evaluate(test, rounds=10)
    assert len([w for w in caught if "never seen" in str(w.message)]) == 1
    assert result.unseen == ("brand-new",)
    assert result.labels[-1].label == "brand-new"
    assert (result.labels[-1].support, result.labels[-1].true_positives, result.labels[-1].recall) == (1, 0, 0)
    assert result.metrics["macro_recall"].value < plain.metrics["macro_recall"].value


def test_evaluation_leaves_unlabelled_rows_out() -> None:
    classifier = Classifier(quick()).fit(scenes())
    test = scenes(10, start=50)
    with pytest.warns(DataWarning, match="2 rows of .* left out"):
        more = classifier.evaluate([*test, *(replace(s, labels=None) for s in scenes(2, start=90))], rounds=10)
    assert more == classifier.evaluate(test, rounds=10)
    with pytest.raises(DataError, match="labels of all 2 rows"):
        classifier.evaluate([replace(s, labels=None) for s in scenes(2)])


def test_copies_of_a_picture_are_on_one_side(models: dict[str, Path]) -> None:
    from multitag.data.table import read_table
    from multitag.fitting.fit import take_sides
    from multitag.types import LabelSpace

    rows = [replace(s, image=png(n % 10)) for n, s in enumerate(scenes(40))]
    for seed in range(5):
        config = quick(seed=seed)
        sides = take_sides(config, LabelSpace.from_samples(rows), read_table(rows), None)
        assert not set(sides.trained.hashes) & set(sides.held.hashes)
        assert len(sides.trained) + len(sides.held) == 40


def test_copies_between_training_and_validation_rows_are_reported() -> None:
    train = [replace(s, image=png(n)) for n, s in enumerate(scenes(20))]
    valid = [replace(s, image=png(n + 18)) for n, s in enumerate(scenes(10, start=50))]
    _, found = notes(train, valid)
    assert any("2 validation rows have a picture that is also in the training rows" in note for note in found)


def test_labels_of_the_validation_rows_that_are_not_declared_elsewhere_are_known() -> None:
    valid = [*scenes(10, start=50), Sample("v", text="x", labels=("late",))]
    classifier, found = notes(scenes(), valid)
    assert "late" in classifier.labels_.names
    assert any("no example" in note and "late" in note for note in found)


def test_an_unknown_decision_changes_nothing() -> None:
    classifier = Classifier(quick()).fit(scenes())
    before = classifier.predict(scenes(5)).labels
    with pytest.raises(ConfigError, match="does not exist"):
        classifier.set_decision("oracle")
    with pytest.raises(ConfigError, match="no option"):
        classifier.set_decision("top_k", kk=2)
    assert classifier.predict(scenes(5)).labels == before
    assert classifier.config.decision.name == "global_threshold"


def test_progress_is_told_for_every_stage_and_fold(models: dict[str, Path], tmp_path: Path) -> None:
    told: dict[str, list[int]] = {}

    class Told:
        def __init__(self, what: str, total: int) -> None:
            told.setdefault(what, [total, 0])

            def advance(done: int) -> None:
                told[what][1] += done

            self.advance = advance

        def __enter__(self) -> Any:
            return self.advance

        def __exit__(self, *error: object) -> None:
            pass

    decision = {"name": "global_threshold", "fit_on": "out_of_fold", "folds": 2}
    classifier = both(models, decision=decision, train={"epochs": 2}, store={"path": str(tmp_path)})
    classifier.fit([replace(s, image=png(n)) for n, s in enumerate(scenes(20))], progress=Told)
    stages = ["checking pictures", "encoding texts (text)", "encoding images (image)", "training"]
    assert [what for what in told if not what.startswith("fold")][:4] == stages
    assert {"fold 1 of 2: training", "fold 2 of 2: training"} <= set(told)
    for what in (*stages[:1], "training", "fold 2 of 2: training"):
        assert told[what][0] == told[what][1] > 0, what


def test_fit_again_forgets_the_former_run() -> None:
    classifier = Classifier(quick()).fit(scenes())
    classifier.fit([Sample(f"r{n}", text=f"t{n % 2}", labels=(f"x{n % 2}",)) for n in range(20)])
    assert classifier.labels_.names == ("x0", "x1")


def test_a_fitted_one_can_be_copied(tmp_path: Path) -> None:
    rows = scenes(20)
    fitted = Classifier(quick(train={"epochs": 1})).fit(rows, out=tmp_path / "run")
    expected = fitted.predict_proba(rows).values
    np.testing.assert_array_equal(copy.deepcopy(fitted).predict_proba(rows).values, expected)
    np.testing.assert_array_equal(copy.deepcopy(Classifier.load(tmp_path / "run")).predict_proba(rows).values, expected)

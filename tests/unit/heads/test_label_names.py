"""Labels known by what the encoder of texts says of their names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import ConfigError
from multitag.features.rows import Rows
from multitag.heads.label_names import LabelNames
from multitag.networks import Networks, feed, open_store
from multitag.types import Encoded, Sample, Width
from training_support import ONLY_TEXT, TEXT_AND_PICTURE, quick, unfrozen

WORDS = ("dog", "boat", "men", "red_house")
"""The last is read as two words."""
TEXTS = ("a dog runs", "the boat sails", "two men walk", "the red house burns")


def rows(number: int = 40) -> list[Sample]:
    """Each text says the name of its label."""
    return [Sample(f"row {n}", text=f"{TEXTS[n % 4]} {n}", labels=(WORDS[n % 4],)) for n in range(number)]


def named(*, encoders: dict[str, Any] | None = None, **sections: Any) -> Config:
    head = {"name": "label_names", "dropout": 0.0, **sections.pop("head", {})}
    return quick(encoders=encoders or ONLY_TEXT, fusion={"name": "single"}, head=head, **sections)


def network(model: Classifier) -> Any:
    assert isinstance(model.pipeline_.scorer, Networks)
    return model.pipeline_.scorer.each[0]


def test_the_logit_is_what_the_name_says_and_what_was_learned_beside_it():
    head = LabelNames(Width(4), 2).eval()
    head.take_names(torch.tensor([[2.0, 0.0, 4.0, 0.0], [0.0, -2.0, 0.0, 0.0]]))
    head.scale.data.fill_(3.0)
    head.weight.data = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.5]])
    head.bias.data = torch.tensor([0.25, -1.0])
    # names / sqrt(4), times 3: [3, 0, 6, 0] and [0, -3, 0, 0]
    x = torch.tensor([[1.0, 2.0, -1.0, 4.0]])
    assert head(Encoded(x)).tolist() == [[3 - 6 + 2 + 0.25, -6 + 2 - 1.0]]


def test_before_it_is_trained_labels_stand_by_how_alike_their_names_are():
    torch.manual_seed(0)
    head, x = LabelNames(Width(6), 3).eval(), torch.randn(5, 6)
    names = torch.randn(3, 6)
    head.take_names(names)
    assert torch.equal(head(Encoded(x)).argsort(1), (x @ names.T).argsort(1))


def test_names_are_read_as_the_template_says():
    assert LabelNames(Width(2), 1).phrase("red_house") == "red house"
    assert LabelNames(Width(2), 1, template="a picture of {}.").phrase("dog") == "a picture of dog."
    for wrong in ("a picture", "{} and {}"):
        with pytest.raises(ConfigError, match=r"'template' = .*must have \{\} once"):
            LabelNames(Width(2), 1, template=wrong)


def test_names_are_encoded_and_standardised_as_texts_are_and_saved(tmp_path: Path):
    config = named(head={"template": "the {}"})
    model = Classifier(config).fit(rows(), out=tmp_path / "run")
    made = network(model)
    head = next(iter(made.model.heads.values()))
    asked = [Sample(name, text=f"the {name.replace('_', ' ')}") for name in model.pipeline_.space.names]
    with open_store(config) as store:
        feeder = feed(Rows(asked, [None] * 4), made.slots, store, made.model)
        said = feeder.batch([0, 1, 2, 3]).encoded["text"].pooled
    width = said.shape[1]
    assert torch.allclose(head.names, made.model.standardize["text"](said) / width**0.5, atol=1e-6)
    assert head.names.abs().sum() > 0
    again = Classifier.load(tmp_path / "run")
    assert torch.equal(next(iter(network(again).model.heads.values())).names, head.names)
    assert np.array_equal(again.predict_proba(rows(4)).values, model.predict_proba(rows(4)).values)


def test_a_label_that_few_rows_have_keeps_what_its_name_says():
    """Of 41 rows one says `men`: others of its words are not seen again."""
    train = [row for row in rows(80) if "men" not in row.labels]
    train += [Sample("one", text="men sleep here", labels=("men",))]
    asked = [Sample("few", text="men again"), Sample("other", text="a dog again")]

    def gap(config: Config) -> float:
        probabilities = Classifier(config).fit(train, valid=rows(8)).predict_proba(asked)
        at = probabilities.space.names.index("men")
        return float(probabilities.values[0, at] - probabilities.values[1, at])

    steps: dict[str, Any] = {"epochs": 2, "lr": 0.01}
    with_names = gap(named(train=steps))
    without = gap(quick(fusion={"name": "single"}, train=steps))
    assert with_names > without + 0.05


@pytest.mark.parametrize(
    "sections",
    [
        {"encoders": TEXT_AND_PICTURE, "fusion": {"name": "sum"}},
        {"encoders": {"image": TEXT_AND_PICTURE["image"]}, "fusion": {"name": "single"}},
        {"encoders": unfrozen(Path("model")), "fusion": {"name": "single"}},
        {"task": "spans", "encoders": ONLY_TEXT, "fusion": {"name": "single"}},
    ],
    ids=["both", "pictures", "not frozen", "spans"],
)
def test_where_there_is_nothing_to_compare_names_with_it_says_so(sections: dict[str, Any]):
    with pytest.raises(ConfigError, match=r"\[head\] 'label_names' compares texts with the labels' names"):
        quick(**sections, head={"name": "label_names"})


def test_a_name_without_a_word_says_nothing(models: dict[str, Path]):
    """Standardised, nothing would be a vector like any other."""
    odd = [Sample(f"odd {n}", text=f"the cat {n}", labels=("_",)) for n in range(8)]
    encoders = {"text": {"name": "transformers_text", "model": str(models["bert"])}}
    made = network(Classifier(named(encoders=encoders, train={"epochs": 1})).fit(rows() + odd))
    names = next(iter(made.model.heads.values())).names
    assert names.any(dim=1).tolist() == [False, True, True, True, True]


def test_folds_each_know_the_names():
    model = Classifier(named(train={"folds": 2, "epochs": 2})).fit(rows(60))
    assert isinstance(model.pipeline_.scorer, Networks)
    for each in model.pipeline_.scorer.each:
        head = next(iter(each.model.heads.values()))
        assert head.names.any(dim=1).all()
    unlike = replace(rows(1)[0], text="the boat", labels=None)
    assert model.predict_proba([unlike]).values.argmax() == model.pipeline_.space.names.index("boat")

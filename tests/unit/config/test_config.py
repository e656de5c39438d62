"""A configuration is checked as a whole, changed by words, and written back whole."""

from __future__ import annotations

import tomllib

import pytest

from multitag.config import Config, RecipeConfig, TrainConfig
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.metrics import METRICS


def faults(values) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.parse(values)
    first, *rest = str(caught.value).split("\n")
    assert first == "the configuration is not valid"
    return [line.strip() for line in rest]


def test_the_default_names_every_option():
    config = Config.parse({})
    assert config.head.options == HEADS.resolve("mlp", {})
    assert config.encoders["image"].options == ENCODERS.resolve("efficientnet_lite", {})
    assert config.decision.options == DECISIONS.resolve("expected_f1", {})
    assert config.encoders["text"].frozen


COMPONENTS = [
    *(("fusion", FUSIONS, name) for name in FUSIONS.names() if name != "single"),
    *(("head", HEADS, name) for name in HEADS.names()),
    *(("loss", LOSSES, name) for name in LOSSES.names()),
    *(("calibration", CALIBRATIONS, name) for name in CALIBRATIONS.names()),
    *(("decision", DECISIONS, name) for name in DECISIONS.names()),
    *(("encoders.text", ENCODERS, name) for name in ENCODERS.names() if ENCODERS.extra(name) is None),
]


@pytest.mark.parametrize(
    ("section", "registry", "name"), COMPONENTS, ids=lambda value: str(getattr(value, "kind", value))
)
def test_every_component_survives_dump_and_parse(section, registry, name):
    changes = [f"{section}.name={name}"]
    if getattr(registry.get(name), "from_scratch", False):  # which must train
        changes.append(f"{section}.frozen=false")
    values = {"loss": {"name": "bce"}}
    if getattr(registry.get(name), "reads_names", False):  # which goes with texts alone
        values |= {"encoders": {"text": {"name": "bag_of_ngrams"}}, "fusion": {"name": "single"}}
    config = Config.parse(values).changed(changes)
    written = tomllib.loads(config.dump())
    assert Config.parse(written) == config
    table = written
    for key in section.split("."):
        table = table[key]
    assert table["name"] == name
    options = {key for key, value in registry.resolve(name, {}).items() if value is not None}
    assert options <= set(table), "every option is written, defaults included"


def test_a_full_configuration_survives_dump_and_parse(tmp_path):
    config = Config.parse(
        {
            "seed": 7,
            "recipe": {"title": "A title", "source": "A “source”\nof two lines", "differences": ["one", "two"]},
            "data": {"text": ["title", "body"], "labels": "tags", "label_names": ["b", "a"], "valid_share": 0.2},
            "encoders": {"words": {"name": "bag_of_ngrams", "ngrams": 1, "frozen": False}},
            "fusion": {"name": "single"},
            "train": {"lr": 1e-3, "precision": "bfloat16"},
            "decision": {"name": "top_k", "k": 3, "fit_on": "out_of_fold"},
        }
    )
    (tmp_path / "run.toml").write_text(config.dump(), "utf-8")
    assert Config.read(tmp_path / "run.toml") == config
    assert config.data.text == ("title", "body")
    assert config.decision.options["k"] == 3


def test_all_faults_come_together_each_with_what_was_meant():
    assert faults(
        {
            "sed": 1,
            "train": {"lr": -1, "epoch": 3, "monitor": "samples_f"},
            "data": {"valid_share": 1.5, "text": 3},
            "fusion": {"name": "conkat"},
            "head": {"hidden": 0, "hiden": 3},
            "decision": {"name": "expected_f1", "tail": 2, "folds": 1},
            "recipe": {"title": "T", "source": "S", "sorce": "x"},
        }
    ) == [
        f"[recipe] sorce: no such setting; did you mean 'source'? Accepted: {', '.join(RecipeConfig.model_fields)}.",
        "[data] text = 3: Input should be a valid string, or Input should be a valid tuple.",
        "[data] valid_share = 1.5: Input should be less than 1.",
        "[head] name: needed, and not there.",
        "[train] lr = -1: Input should be greater than 0.",
        f"[train] epoch: no such setting; did you mean 'epochs'? Accepted: {', '.join(TrainConfig.model_fields)}.",
        "[decision] folds = 1: Input should be greater than or equal to 2.",
        f"sed: no such setting; did you mean 'seed'? Accepted: {', '.join(Config.model_fields)}.",
        f"[fusion] fusion 'conkat' does not exist; did you mean 'concat'? Accepted: {', '.join(FUSIONS.names())}.",
        "[decision] decision 'expected_f1', option 'tail' = 2.0; accepted: a probability from 0 up to, "
        "not including, 1.",
        f"[train] monitor = 'samples_f' is no metric; did you mean 'samples_f1'? Accepted: {_monitors()}.",
    ]


def _monitors() -> str:

    return ", ".join(["loss", "calibrated_loss", *METRICS.names(), "last"])


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"train": 3}, "train = 3: Input should be a valid dictionary or instance of TrainConfig."),
        ({"encoders": {}}, "encoders = {}: Dictionary should have at least 1 item after validation, not 0."),
        ({"encoders": {"image": {}}}, "[encoders.image] name: needed, and not there."),
        (
            {"encoders": {"image": {"name": "bag_of_ngrams", "frozen": "perhaps"}}, "fusion": {"name": "single"}},
            "[encoders.image] frozen = 'perhaps': Input should be a valid boolean, unable to interpret input.",
        ),
        ({"loss": {"name": "bce", "gamma": 2}}, "[loss] loss 'bce' has no option 'gamma'. Accepted: smoothing."),
        (
            {"fusion": {"name": "single"}},
            "[fusion] 'single' takes one encoder, the configuration has 2: image, text. "
            "Fix: another fusion, or --without NAME.",
        ),
    ],
)
def test_a_single_fault_names_its_place(values, fault):
    assert faults(values) == [fault]


@pytest.mark.parametrize("name", ["a.b", "values", "training", "heads", "two words", ""])
def test_a_name_the_model_cannot_keep_an_encoder_under_is_refused(name):
    values = {"encoders": {name: {"name": "bag_of_ngrams"}}, "fusion": {"name": "single"}}
    (fault,) = faults(values)
    assert fault.startswith(f"[encoders] '{name}' cannot name an encoder. Accepted: letters")


def test_changes_are_toml_or_words_as_they_stand():
    config = Config.parse({}).changed(
        [
            "train.lr=1e-3",
            "train.epochs = 3",
            "data.text=caption",
            'data.labels=["a", "b"]',
            "encoders.text.frozen=false",
        ]
    )
    assert (config.train.lr, config.train.epochs) == (1e-3, 3)
    assert (config.data.text, config.data.labels) == ("caption", ("a", "b"))
    assert config.encoders["text"].frozen is False
    assert Config.parse({}).train.epochs == Config().train.epochs != 3


def test_another_name_drops_the_old_ones_options_and_keeps_what_is_not_the_components():
    before = Config.parse({}).changed(["encoders.text.frozen=false", "encoders.text.max_length=7"])
    after = before.changed(["encoders.text.name=bag_of_ngrams"])
    assert after.encoders["text"].options == ENCODERS.resolve("bag_of_ngrams", {})
    assert after.encoders["text"].frozen is False
    same = before.changed(["encoders.text.name=transformers_text"])
    assert same.encoders["text"].options["max_length"] == 7


def test_the_name_comes_first_wherever_it_stands():
    config = Config.parse({}).changed(["head.dropout=0.25", "head.name=linear"])
    assert (config.head.name, config.head.options) == ("linear", {"dropout": 0.25})


def test_changes_make_new_components():
    config = Config.parse({}).changed(["encoders.words.name=bag_of_ngrams", "encoders.words.ngrams=1"])
    assert list(config.encoders) == ["image", "text", "words"]
    assert config.encoders["words"].options["ngrams"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("train.lr", r"'train\.lr' is not of the form section\.key=value"),
        ("train..lr=1", "is not of the form"),
        ("seed.x=1", "'seed.x=1': seed is a value, not a table"),
        ("train.lrr=1", r"\[train\] lrr: no such setting; did you mean 'lr'\?"),
        ("head.hidden=big", r"\[head\] head 'mlp', option 'hidden' = 'big': Input should be a valid integer"),
    ],
)
def test_a_bad_change_is_named(change, message):
    with pytest.raises(ConfigError, match=message):
        Config.parse({}).changed([change])


def test_other_data_settings_leave_the_rest():
    config = Config.parse({"data": {"valid_share": 0.3}}).with_data({"text": "caption"})
    assert (config.data.text, config.data.valid_share) == ("caption", 0.3)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.toml does not exist"):
        Config.read(tmp_path / "gone.toml")
    (tmp_path / "bad.toml").write_text("seed = ")
    with pytest.raises(ConfigError, match=r"bad\.toml is not valid TOML: Invalid value"):
        Config.read(tmp_path / "bad.toml")
    (tmp_path / "bad.toml").write_bytes(b"title = \xff")
    with pytest.raises(ConfigError, match=r"bad\.toml is not valid TOML"):
        Config.read(tmp_path / "bad.toml")


STAGED = {
    "encoders": {
        "text": {"name": "transformers_text", "frozen": False},
        "image": {"name": "efficientnet_lite", "frozen": False},
    },
    "train": {
        "stages": [
            {"epochs": 3, "train": ["heads"]},
            {"epochs": 2, "train": ["heads", "text", "image"], "lr_scale": {"text": 0.1}},
        ]
    },
}


def with_stages(*stages):
    return {**STAGED, "train": {"stages": list(stages)}}


def test_stages_survive_dump_and_parse_and_are_changed_by_words():
    config = Config.parse(STAGED)
    assert Config.parse(tomllib.loads(config.dump())) == config
    assert config.train.lengths == (3, 2)
    assert config.train.stages[1].lr_scale == {"text": 0.1}
    changed = config.changed(['train.stages=[{epochs = 4, train = ["heads", "text", "image"]}]'])
    assert changed.train.lengths == (4,)
    assert config.changed(["train.stages=[]"]).train.lengths == (config.train.epochs,)


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (
            [{"epochs": 0, "train": ["heads"]}, {"epoch": 3, "train": [], "lr_scale": {"heads": -1}}, 3],
            [
                "[[train.stages]] 1, epochs = 0: Input should be greater than or equal to 1.",
                "[[train.stages]] 2, epochs: needed, and not there.",
                "[[train.stages]] 2, train = []: Tuple should have at least 1 item after validation, not 0.",
                "[[train.stages]] 2, lr_scale.heads = -1: Input should be greater than 0.",
                "[[train.stages]] 2, epoch: no such setting; did you mean 'epochs'? Accepted: epochs, train, lr_scale.",
                "[[train.stages]] 3 = 3: Input should be a valid dictionary or instance of StageConfig.",
            ],
        ),
        (
            [{"epochs": 1, "train": ["head", "text"], "lr_scale": {"image": 1}}],
            [
                "[[train.stages]] 1, train = 'head' is no part; did you mean 'heads'? Accepted: heads, text, image.",
                "[[train.stages]] 1, lr_scale.image: this part does not train in the stage. Accepted: head, text.",
                "[encoders.image] frozen = false, and no stage trains it. Fix: frozen = true, or name it in a stage",
            ],
        ),
    ],
)
def test_faults_of_stages_name_the_stage(stages, expected):
    assert faults(with_stages(*stages)) == expected


def test_a_stage_may_not_train_a_frozen_encoder():
    values = {**STAGED, "encoders": {**STAGED["encoders"], "image": {"name": "efficientnet_lite"}}}
    assert faults(values) == [
        "[[train.stages]] 2, train = 'image' is a frozen encoder. Fix: --set encoders.image.frozen=false"
    ]


def test_nesterov_needs_momentum():
    assert faults({"train": {"optimizer": "sgd", "momentum": 0, "nesterov": True}}) == [
        "[train] nesterov = true needs momentum. Fix: momentum = 0.9, or nesterov = false"
    ]


def test_stages_and_steps_of_the_rate_grow_with_the_epochs_for_a_small_table():
    """30 rows are a step an epoch: 600 steps are 120 times the five epochs."""
    settings = Config.parse(STAGED).train.model_copy(update={"min_steps": 600, "step_epochs": 2, "patience": 5})
    fitting = settings.for_rows(30)
    assert fitting.lengths == (360, 240)
    assert (fitting.patience, fitting.step_epochs) == (600, 240)
    assert [stage.train for stage in fitting.stages] == [stage.train for stage in settings.stages]
    assert settings.for_rows(128 * 600) is settings


def test_lasting_leaves_out_stages_that_were_of_no_use():
    settings = Config.parse(STAGED).train
    assert settings.lasting([2, 1]).lengths == (2, 1)
    assert settings.lasting([2]).stages == (settings.stages[0].model_copy(update={"epochs": 2}),)
    assert settings.lasting([0, 1]).stages == (settings.stages[1].model_copy(update={"epochs": 1}),)
    assert Config().train.lasting([7]).lengths == (7,)


@pytest.mark.parametrize(
    ("rows", "epochs", "patience"),
    [(128 * 30, 20, 5), (128 * 10, 60, 15), (1, 600, 150), (128 * 10 + 1, 55, 14)],
)
def test_a_small_table_is_gone_through_more_often(rows, epochs, patience):
    settings = Config().train.model_copy(update={"epochs": 20, "min_steps": 600, "batch_size": 128, "patience": 5})
    fitting = settings.for_rows(rows)
    assert (fitting.epochs, fitting.patience) == (epochs, patience)


def test_an_encoder_from_scratch_must_train():
    with pytest.raises(
        ConfigError, match=r"\[encoders\.text\] 'lstm' .* must train .* --set encoders\.text\.frozen=false"
    ):
        Config.parse({"encoders": {"text": {"name": "lstm"}}})
    config = Config.parse({"encoders": {"text": {"name": "lstm", "frozen": False}}})
    assert config.encoders["text"].options["length"] == 20


def test_an_untrained_architecture_must_train():
    values = {"image": {"name": "transformers_image", "architecture": {"model_type": "resnet", "depths": [1, 1, 1, 1]}}}
    with pytest.raises(ConfigError, match=r"\[encoders\.image\] 'transformers_image' has no pretrained weights here"):
        Config.parse({"encoders": values})
    values["image"]["frozen"] = False
    config = Config.parse({"encoders": values})
    assert Config.parse(tomllib.loads(config.dump())) == config
    changed = config.changed(['encoders.image.architecture={model_type = "resnet", depths = [2, 2, 2, 2]}'])
    assert changed.encoders["image"].options["architecture"]["depths"] == [2, 2, 2, 2]


@pytest.mark.parametrize(("rows", "folds"), [(49, 0), (50, 5), (50_000, 5), (50_001, 0), (0, 0)])
def test_folds_where_they_pay(rows, folds):
    settled = Config().settled(rows)
    assert settled.train.folds == settled.train.fold_count == folds
    assert Config().train.folds == "auto"


def test_folds_that_were_asked_for_stay_and_encoders_that_train_are_trained_once():
    assert Config().changed(["train.folds=3"]).settled(1000).train.folds == 3
    assert Config().changed(["train.folds=0"]).settled(1000).train.folds == 0
    assert Config().changed(["encoders.text.frozen=false"]).settled(1000).train.folds == 0
    members = {"a": {"fusion": {"name": "concat"}}, "b": {"train": {"seeds": 2}}}
    of = {"ensemble": {"combiner": {"name": "mean"}, "members": members}}
    assert Config.parse(of).settled(1000).train.folds == 5
    trains = {"encoders": {"text": {"name": "transformers_text", "frozen": False}}, "fusion": {"name": "single"}}
    members["a"] = trains
    assert Config.parse(of).settled(1000).train.folds == 0

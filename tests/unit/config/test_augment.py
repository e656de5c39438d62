"""The settings of augmentation: checked with the rest, and refused where they could change nothing."""

from __future__ import annotations

import re
import tomllib

import pytest

from multitag.config import Config
from multitag.errors import ConfigError

CNN = {"name": "cnn", "frozen": False}
WORDS = {"name": "bag_of_ngrams"}


def config(steps, encoders, **more) -> Config:
    return Config.parse({"encoders": encoders, "augment": {"steps": steps, **more}})


def test_every_option_is_filled_in_and_written():
    made = config([{"name": "flip"}, {"name": "rotate", "degrees": 5}], {"image": CNN, "text": WORDS}, rare=0.1)
    assert [step.options for step in made.augment.steps] == [
        {"p": 0.5, "direction": "horizontal"},
        {"p": 0.5, "degrees": 5.0},
    ]
    assert Config.parse(tomllib.loads(made.dump())) == made
    assert Config.parse({}).augment.steps == ()


def test_the_command_line_can_say_it():
    made = Config.parse({"encoders": {"image": CNN}, "fusion": {"name": "single"}})
    changed = made.changed(['augment.steps=[{name = "crop", smallest = 0.3}]', "augment.rare=0.05"])
    assert changed.augment.steps[0].options == {"p": 1.0, "smallest": 0.3}
    assert changed.augment.rare == 0.05


@pytest.mark.parametrize(
    ("steps", "encoders", "message"),
    [
        (
            [{"name": "flip"}],
            {"image": {"name": "efficientnet_lite"}, "text": WORDS},
            r"'flip' changes pictures for encoders that train, and no picture encoder does: .* stored\. "
            r"Fix: leave it out, or --set encoders\.image\.frozen=false",
        ),
        (
            [{"name": "shuffle"}],
            {"image": CNN, "text": WORDS},
            r"'shuffle' changes texts .*encoders\.text\.frozen=false",
        ),
        (
            [{"name": "cutmix"}],
            {"text": {"name": "lstm", "frozen": False}},
            r"'cutmix' changes pictures .* leave it out$",
        ),
        (
            [{"name": "mixup"}],
            {"image": CNN, "text": {"name": "lstm", "frozen": False}},
            r"'mixup' mixes rows, and words cannot be mixed: the text encoder 'text' must not train",
        ),
        ([{"name": "filp"}], {"image": CNN}, r"\[\[augment\.steps\]\] 1, augmentation 'filp' .* did you mean 'flip'"),
        (
            [{"name": "flip"}, {"name": "crop", "smallest": 2}],
            {"image": CNN},
            r"\[\[augment\.steps\]\] 2, augmentation 'crop', option 'smallest' = 2",
        ),
    ],
)
def test_what_cannot_work_is_refused(steps, encoders, message):
    fusion = {"name": "single"} if len(encoders) == 1 else {"name": "sum"}
    with pytest.raises(ConfigError) as caught:
        Config.parse({"encoders": encoders, "fusion": fusion, "augment": {"steps": steps}})
    lines = [line for line in str(caught.value).split("\n") if "augment" in line]
    assert len(lines) == 1
    assert re.search(message, lines[0]), lines[0]

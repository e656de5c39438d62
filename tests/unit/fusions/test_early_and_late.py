"""concat, sum and mixed are the formulas of Guo (2024), with weights set by hand."""

from __future__ import annotations

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.types import Encoded, Width

X_IMAGE, X_TEXT = torch.tensor([[1.0, 2.0], [0.0, -1.0]]), torch.tensor([[3.0], [5.0]])
ROWS = {"image": Encoded(X_IMAGE), "text": Encoded(X_TEXT)}


def logits(name, weights):
    """The model's logits (2, 1), each branch's linear head with the weights given, the bias last."""
    fusion = FUSIONS.build(name, {}, {"image": Width(2), "text": Width(1)})
    heads = {branch: HEADS.build("linear", {}, width, 1) for branch, width in fusion.branches.items()}
    assert set(heads) == set(weights)
    for branch, (*values, bias) in weights.items():
        heads[branch].out.weight.data = torch.tensor([values])
        heads[branch].out.bias.data = torch.tensor([bias])
    branches = fusion(ROWS)
    return fusion.combine({branch: head(branches[branch]) for branch, head in heads.items()}).flatten().tolist()


def test_concat_is_one_head_over_the_joined_vectors():
    # 10 * 1 + 100 * 2 + 1000 * 3 + 7, and 10 * 0 + 100 * -1 + 1000 * 5 + 7
    assert logits("concat", {"joined": [10.0, 100.0, 1000.0, 7.0]}) == [3217.0, 4907.0]


def test_sum_adds_a_head_of_each():
    assert logits("sum", {"image": [10.0, 100.0, 1.0], "text": [1000.0, 6.0]}) == [3217.0, 4907.0]


def test_mixed_adds_both():
    weights = {"image": [1.0, 0.0, 0.5], "text": [2.0, 0.0], "joined": [10.0, 100.0, 1000.0, 0.0]}
    assert logits("mixed", weights) == [3210.0 + 1.5 + 6.0, 4900.0 + 0.5 + 10.0]


def test_single_hands_the_vector_on():
    fusion = FUSIONS.build("single", {}, {"text": Width(1)})
    assert fusion({"text": ROWS["text"]})["text"].pooled is X_TEXT
    with pytest.raises(ConfigError, match=r"'single' takes one encoder, and the configuration has 2: image, text"):
        FUSIONS.build("single", {}, {"image": Width(2), "text": Width(1)})


def test_mixed_keeps_a_name_for_itself():
    with pytest.raises(ConfigError, match="keeps the name 'joined' for itself"):
        FUSIONS.build("mixed", {}, {"joined": Width(2)})

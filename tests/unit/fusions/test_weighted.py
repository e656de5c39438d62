"""The weighted fusion mixes probabilities; its logits survive where the probabilities would be 0 or 1."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.types import Width

WIDTHS = {"image": Width(2), "text": Width(1)}


def build(weights="equal"):
    return FUSIONS.build("weighted", {"weights": weights}, WIDTHS)


def logits(image, text, **how):
    return {"image": torch.tensor(image, **how), "text": torch.tensor(text, **how)}


@pytest.mark.parametrize(("weights", "first"), [("equal", 0.5), ("learned", 0.5), ([0.4, 0.6], 0.4), ([1, 0], 1.0)])
def test_probabilities_are_weighted(weights, first):
    z = logits([[-3.0, 0.5], [2.0, -0.1]], [[1.0, 0.0], [-4.0, 6.0]])
    p = build(weights).combine(z).sigmoid()
    assert torch.allclose(p, first * z["image"].sigmoid() + (1 - first) * z["text"].sigmoid(), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_logits_stay_what_they_mean(dtype):
    z = logits([[1e4, -1e4, 1e4, 90.0]], [[1e4, -1e4, -1e4, -90.0]], dtype=dtype)
    for part in z.values():
        part.requires_grad_()
    mixed = build([0.25, 0.75]).combine(z)
    # Both sure: about as sure as they. Of two minds: the weights' own odds, log(.25 / .75).
    assert mixed[0].tolist() == pytest.approx([1e4, -1e4, math.log(1 / 3), math.log(1 / 3)], rel=4e-3)
    mixed.sum().backward()
    assert all(part.grad.isfinite().all() for part in z.values())
    sure = float(z["image"].grad[0, 0] + z["text"].grad[0, 0])
    assert sure == pytest.approx(1, abs=1e-2), "a sure answer can be unlearned"


def test_an_ordinary_logit_of_one_opinion_is_that_logit():
    values = [[-20.0, -3.0, 0.0, 5.0, 20.0]]
    assert build([0.3, 0.7]).combine(logits(values, values))[0].tolist() == pytest.approx(values[0], abs=1e-5)


def test_a_weight_of_zero_silences_without_breaking():
    fusion = build([0, 1])
    z = logits([[1e4, 3.0]], [[0.5, -1e4]])
    for part in z.values():
        part.requires_grad_()
    mixed = fusion.combine(z)
    assert mixed[0].tolist() == pytest.approx([0.5, -1e4], abs=1e-5)
    mixed.sum().backward()
    assert z["image"].grad.tolist() == [[0.0, 0.0]]
    assert z["text"].grad.tolist() == [[1.0, 1.0]]


def test_learned_weights_go_where_the_better_answers_are():
    fusion = build("learned")
    assert [name for name, _ in fusion.named_parameters()] == ["log_weights"]
    z = logits([[4.0], [-4.0], [4.0]], [[-4.0], [-4.0], [4.0]])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(fusion.combine(z), torch.tensor([[1.0], [0], [1]]))
    loss.backward()
    image, text = fusion.log_weights.grad.tolist()
    assert image < 0 < text


def test_given_weights_are_not_part_of_the_state():
    assert build([0.3, 0.7]).state_dict() == {}
    assert build().state_dict() == {}


def test_weights_that_are_none_are_refused():
    with pytest.raises(ConfigError, match=r"'weights' = \[1\.0\]: 1 numbers for 2 encoders \(image, text\)\. Fix: "):
        build([1])
    with pytest.raises(ConfigError, match=r"'weights' = \[0\.5, 0\.6\]: must sum to 1, and sum to 1\.1\. Fix: divide"):
        build([0.5, 0.6])
    with pytest.raises(ConfigError, match="greater than or equal to 0"):
        build([1.5, -0.5])

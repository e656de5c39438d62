"""Gated, film and bilinear are the formulas of their papers, with weights set by hand."""

from __future__ import annotations

import math

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.types import Encoded, Width

WIDTHS = {"image": Width(2), "text": Width(1)}
ROWS = {
    "image": Encoded(torch.tensor([[0.5, 2.0], [-1.0, 0.25]])),
    "text": Encoded(torch.tensor([[-0.5], [3.0]])),
}


def fill(linear, weight, bias):
    linear.weight.data = torch.tensor(weight)
    linear.bias.data = torch.tensor(bias)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_the_gate_weighs_picture_against_text():
    fusion = FUSIONS.build("gated", {"size": 1}, WIDTHS)
    fill(fusion.maps["image"], [[1.0, 0.0]], [0.0])
    fill(fusion.maps["text"], [[2.0]], [0.0])
    fill(fusion.gate, [[0.0, 1.0, 2.0]], [0.5])
    # Gates' logits: 2 + 2 * -.5 + .5, and .25 + 2 * 3 + .5.
    expected = [
        sigmoid(1.5) * math.tanh(0.5) + (1 - sigmoid(1.5)) * math.tanh(-1),
        sigmoid(6.75) * math.tanh(-1) + (1 - sigmoid(6.75)) * math.tanh(6),
    ]
    assert fusion(ROWS)["gated"].pooled.flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_the_gate_has_a_value_for_each_number():
    fusion = FUSIONS.build("gated", {"size": 2}, WIDTHS)
    fill(fusion.gate, [[0.0] * 3] * 2, [50.0, -50.0])
    image, text = (torch.tanh(fusion.maps[name](ROWS[name].pooled)) for name in WIDTHS)
    expected = torch.stack([image[:, 0], text[:, 1]], dim=1)
    assert torch.allclose(fusion(ROWS)["gated"].pooled, expected, atol=1e-6)


def test_with_three_encoders_the_gates_sum_to_one():
    fusion = FUSIONS.build("gated", {"size": 1}, {**WIDTHS, "tags": Width(1)})
    for linear in fusion.maps.values():
        linear.weight.data.zero_()
    for name, value in (("image", 0.1), ("text", 0.2), ("tags", 0.4)):
        fusion.maps[name].bias.data = torch.tensor([math.atanh(value)])
    fill(fusion.gate, [[0.0] * 4] * 2, [math.log(2.0), math.log(5.0)])  # and log(1) for the last
    fused = fusion({**ROWS, "tags": Encoded(torch.zeros(2, 1))})["gated"].pooled
    assert fused.flatten().tolist() == pytest.approx([(2 * 0.1 + 5 * 0.2 + 1 * 0.4) / 8] * 2, abs=1e-6)


def test_one_encoder_has_no_gate():
    fusion = FUSIONS.build("gated", {"size": 3}, {"text": Width(1)})
    assert fusion.gate is None
    assert torch.equal(fusion(ROWS)["gated"].pooled, torch.tanh(fusion.maps["text"](ROWS["text"].pooled)))


def test_the_text_scales_and_shifts_the_picture():
    fusion = FUSIONS.build("film", {"size": 2}, WIDTHS)
    fill(fusion.maps["image"], [[1.0, 1.0], [0.0, 4.0]], [0.0, 1.0])
    fill(fusion.scales["image"], [[2.0], [-1.0]], [0.0, 0.0])
    fill(fusion.shifts["image"], [[10.0], [0.0]], [0.0, 100.0])
    # The picture's: (2.5, 9) and (-.75, 2). Scales: (1 - 1, 1 + .5) and (1 + 6, 1 - 3). Shifts: (-5, 100), (30, 100).
    assert fusion(ROWS)["modulated"].pooled.tolist() == [[-5.0, 113.5], [24.75, 96.0]]


def test_at_the_start_a_text_that_says_nothing_leaves_the_picture_as_it_is():
    fusion = FUSIONS.build("film", {"size": 4}, WIDTHS)
    silent = {**ROWS, "text": Encoded(torch.zeros(2, 1))}
    assert torch.equal(fusion(silent)["modulated"].pooled, fusion.maps["image"](ROWS["image"].pooled))


def test_the_condition_may_be_another_and_the_others_are_joined():
    widths = {**WIDTHS, "tags": Width(3)}
    fusion = FUSIONS.build("film", {"size": 4, "condition": "image"}, widths)
    assert set(fusion.maps) == {"text", "tags"}
    assert fusion.branches == {"modulated": Width(8, None, (4, 4))}
    assert FUSIONS.build("film", {"size": 4}, WIDTHS).branches == {"modulated": Width(4)}
    with pytest.raises(
        ConfigError,
        match=r"'film', option 'condition' = 'sound': no encoder has that name\. Accepted: image, text\. Fix: --set ",
    ):
        FUSIONS.build("film", {"condition": "sound"}, WIDTHS)


def test_products_of_picture_and_text_beside_each_of_them():
    fusion = FUSIONS.build("bilinear", {"size": 2, "rank": 2}, WIDTHS)
    fusion.norm = torch.nn.Identity()
    fill(fusion.maps["image"], [[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 4.0]], [1.0, 1.0, 1.0, 0.0])
    fill(fusion.maps["text"], [[1.0], [2.0], [-1.0], [1.0]], [1.0, 1.0, 0.0, 1.0])
    # Row 1, picture: (1.5, 3), (2, 8); text: (.5, 0), (.5, .5). Row 2: (0, 1.25), (-1, 1) and (4, 7), (-3, 4).
    expected = [[1.5 * 0.5 + 2 * 0.5, 3 * 0.0 + 8 * 0.5], [0 * 4 + -1 * -3.0, 1.25 * 7 + 1 * 4]]
    assert fusion(ROWS)["product"].pooled.tolist() == expected


def test_at_the_start_an_encoder_that_says_nothing_leaves_the_other_alone():
    fusion = FUSIONS.build("bilinear", {"size": 5, "rank": 3}, WIDTHS)
    silent = {**ROWS, "text": Encoded(torch.zeros(2, 1))}
    alone = fusion.norm(fusion.maps["image"](ROWS["image"].pooled).view(2, 3, 5).sum(1))
    assert torch.equal(fusion(silent)["product"].pooled, alone)


def test_the_product_is_normalised():
    fusion = FUSIONS.build("bilinear", {"size": 64}, WIDTHS)
    product = fusion({name: Encoded(100 * e.pooled) for name, e in ROWS.items()})["product"].pooled
    assert torch.allclose(product.mean(1), torch.zeros(2), atol=1e-5)
    assert torch.allclose(product.std(1, correction=0), torch.ones(2), atol=1e-4)

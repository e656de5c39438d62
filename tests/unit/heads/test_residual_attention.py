"""Class-specific residual attention, worked out by hand."""

from __future__ import annotations

import tomllib
from math import exp

import pytest
import torch

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.heads import HEADS
from multitag.heads.residual_attention import ResidualAttention, attended
from multitag.types import Encoded, Width


def test_softmax_weighted_sum_by_hand():
    scores = torch.tensor([[[0.0], [1.0], [5.0]]])
    mask = torch.tensor([[True, True, False]])
    for temperature in (0.5, 1.0, 3.0):
        weight = exp(temperature) / (1 + exp(temperature))
        assert attended(scores, mask, temperature).item() == pytest.approx(weight, rel=1e-6)
    assert attended(scores, mask, "max").item() == 1.0


def test_a_small_temperature_is_the_mean_and_a_large_one_the_maximum():
    torch.manual_seed(0)
    scores, mask = torch.randn(3, 6, 4), torch.ones(3, 6, dtype=torch.bool)
    assert torch.allclose(attended(scores, mask, 1e-6), scores.mean(1), atol=1e-5)
    for large in (1e4, 1e38):
        assert torch.allclose(attended(scores, mask, large), scores.amax(1), atol=1e-5)
    assert attended(scores * 1e4, mask, 7.0).isfinite().all()


def make(labels=2, **options):
    torch.manual_seed(0)
    head = ResidualAttention(Width(3, 4), labels, **options).eval()
    for parameter in head.parameters():
        parameter.data.normal_()
    tokens = torch.randn(5, 6, 4)
    mask = torch.arange(6) < torch.tensor([[6], [1], [3], [2], [5]])
    return head, Encoded(torch.randn(5, 3), tokens, mask)


@torch.no_grad()
@pytest.mark.parametrize("weights", ["free", "unit"])
@pytest.mark.parametrize("pooled", ["ignored", "added"])
@pytest.mark.parametrize("temperatures", [(1.0,), (1.0, "max"), (1.0, 2.0, 4.0, "max")])
def test_it_is_its_formula(weights, pooled, temperatures):
    head, rows = make(lam=0.3, temperatures=temperatures, weights=weights, pooled=pooled)
    logits = head(rows)
    for row in range(5):
        tokens = rows.tokens[row][rows.mask[row]]
        for label in range(2):
            expected = head.bias[label].item()
            for number, temperature in enumerate(temperatures):
                weight = head.scores.weight[number * 2 + label]
                scores = tokens @ (weight / weight.norm() if weights == "unit" else weight)
                soft = 1e4 if temperature == "max" else temperature
                most = (torch.softmax(soft * scores, 0) * scores).sum()
                expected += (scores.mean() + 0.3 * most).item()
            if pooled == "added":
                expected += (head.pooled.weight[label] @ rows.pooled[row]).item()
            assert logits[row, label].item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@torch.no_grad()
def test_without_lambda_it_is_a_linear_layer_over_the_mean_token():
    head, rows = make(lam=0.0)
    means = torch.stack([tokens[mask].mean(0) for _, tokens, mask in zip(*rows, strict=True)])
    assert torch.allclose(head(rows), means @ head.scores.weight.T + head.bias, atol=1e-5)


def test_lengths_of_unit_weights_mean_nothing():
    head, rows = make(weights="unit")
    first = head(rows)
    head.scores.weight.data *= 7
    assert torch.allclose(head(rows), first, atol=1e-5)


def test_dropout_is_over_tokens_and_the_pooled_vector():
    head, rows = make(dropout=0.5, pooled="added")
    head.train()
    head.scores.weight.data.zero_()
    assert len({tuple(head(rows)[0].tolist()) for _ in range(20)}) > 1, "the pooled vector is dropped"
    head.pooled.weight.data.zero_()
    head.scores.weight.data.fill_(1.0)
    assert len({tuple(head(rows)[0].tolist()) for _ in range(20)}) > 1, "tokens are dropped"


def test_temperatures_survive_a_configuration_file():
    given = {"head": {"name": "residual_attention", "temperatures": [1, "max"]}}
    config = Config.parse(given).resolved()
    again = Config.parse(tomllib.loads(config.dump())).resolved()
    assert again.head.options["temperatures"] == config.head.options["temperatures"] == (1.0, "max")


@pytest.mark.parametrize("wrong", [[], [0], [float("inf")], ["min"], [1, -2]])
def test_what_is_no_temperature_is_refused(wrong):
    with pytest.raises(ConfigError, match="option 'temperatures'"):
        HEADS.resolve("residual_attention", {"temperatures": wrong})

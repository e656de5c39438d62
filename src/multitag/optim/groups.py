"""Parameter groups: which weights learn at which rate, and which of them decay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import nn

HEADS_PART = "heads"
"""The part of a model that is no encoder: fusion, heads and missing tokens."""


def parameter_groups(
    heads: Iterable[nn.Parameter],
    encoders: Mapping[str, nn.Module],
    *,
    lr: float,
    encoder_lr: float,
    decay: float,
    layer_decay: float = 1.0,
) -> list[dict[str, Any]]:
    """Groups for an optimiser, one for each part, rate and kind of weight; vectors (biases, norms) are not decayed.

    Layer l of an encoder learns at ``encoder_lr * layer_decay ** (depth - l)`` (Howard & Ruder, arXiv 1801.06146;
    for transformers Clark et al., arXiv 2003.10555): what is near the input is more general, and moves less.

    Args:
        heads: Parameters of the fusion, the heads and the missing tokens.
        encoders: Encoders that train, by name.
        lr: For the heads.
        encoder_lr: For the last layer of each encoder.
        decay: Weight decay.
        layer_decay: What each layer further down is multiplied by.

    Returns:
        Groups with ``params``, ``lr``, ``weight_decay``, the ``peak_lr`` that schedules count from, and the ``part``:
        an encoder's name or ``"heads"``.
    """
    rated = [(HEADS_PART, lr, parameter) for parameter in heads]
    for name, encoder in encoders.items():
        depth, layers = encoder_layers(encoder)
        rated += [(name, encoder_lr * layer_decay ** (depth - layer), parameter) for parameter, layer in layers]
    groups: dict[tuple[str, float, bool], dict[str, Any]] = {}
    for part, rate, parameter in sorted(rated, key=lambda entry: entry[2].ndim <= 1):  # stable: matrices first
        if not parameter.requires_grad:
            continue
        key = (part, rate, parameter.ndim > 1)
        new = {"part": part, "lr": rate, "peak_lr": rate, "weight_decay": decay if key[-1] else 0.0, "params": []}
        groups.setdefault(key, new)["params"].append(parameter)
    return [groups[key] for part in (HEADS_PART, *encoders) for key in groups if key[0] == part]


def encoder_layers(encoder: nn.Module) -> tuple[int, list[tuple[nn.Parameter, int]]]:
    """An encoder's depth, and the layer of each of its parameters.

    The blocks are the children of the longest list (`ModuleList` or `Sequential`) in the encoder that are of its most
    common class, and those of other lists that are of this class: a transformer's layers, a convolutional network's
    blocks over all its stages.
    The l-th block is layer l, from 1 to the depth. What comes before the first (embeddings, a stem) is layer 0, what
    comes between two is of the one before, what comes last (a norm, a projection) of the last. An encoder without any
    list has depth 0: one rate for all.
    """
    blocks, layer = set(_blocks(encoder)), 0
    layers: dict[nn.Parameter, int] = {}
    for name, module in encoder.named_modules():
        layer += name in blocks
        for parameter in module.parameters(recurse=False):
            layers.setdefault(parameter, layer)  # a shared weight is of the first layer that has it
    return layer, list(layers.items())


def _blocks(encoder: nn.Module) -> Iterator[str]:
    """The names of the encoder's blocks, in order."""
    lists = [(name, m) for name, m in encoder.named_modules() if isinstance(m, nn.ModuleList | nn.Sequential)]
    _, longest = max(lists, key=lambda entry: len(_weighted(entry[1])), default=("", nn.ModuleList()))
    kinds = Counter(type(child) for child in _weighted(longest).values())
    for name, module in lists:
        for key, child in _weighted(module).items():
            if type(child) is kinds.most_common(1)[0][0]:
                yield f"{name}.{key}".lstrip(".")


def _weighted(module: nn.Module) -> dict[str, nn.Module]:
    """The children that have weights."""
    return {key: child for key, child in module.named_children() if any(True for _ in child.parameters())}

"""Losses: how far the logits are from the targets, unknown labels left out."""

from multitag.losses.base import Loss as Loss
from multitag.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "bce": "multitag.losses.bce:BCE",
    },
)

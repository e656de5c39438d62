"""Heads: from one branch's vector to a logit for each label."""

from multitag.heads.base import Head as Head
from multitag.registry import Registry

HEADS = Registry(
    "head",
    {
        "linear": "multitag.heads.linear:Linear",
        "mlp": "multitag.heads.mlp:MLP",
    },
)

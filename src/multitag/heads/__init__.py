"""Heads: from what a branch says of a row to a logit for each label."""

from multitag.heads.base import Head as Head
from multitag.registry import Registry

HEADS = Registry(
    "head",
    {
        "linear": "multitag.heads.linear:Linear",
        "per_label": "multitag.heads.per_label:PerLabel",
        "mlp": "multitag.heads.mlp:MLP",
        "gmlp": "multitag.heads.gmlp:GMLP",
        "label_queries": "multitag.heads.label_queries:LabelQueries",
        "label_names": "multitag.heads.label_names:LabelNames",
        "residual_attention": "multitag.heads.residual_attention:ResidualAttention",
    },
)

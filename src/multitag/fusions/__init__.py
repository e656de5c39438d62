"""Fusions: from what each encoder says of a row to what the heads see."""

from multitag.fusions.base import Fusion as Fusion
from multitag.registry import Registry

FUSIONS = Registry(
    "fusion",
    {
        "single": "multitag.fusions.single:Single",
        "concat": "multitag.fusions.concat:Concat",
        "sum": "multitag.fusions.sum:Sum",
        "mixed": "multitag.fusions.mixed:Mixed",
        "weighted": "multitag.fusions.weighted:Weighted",
        "gated": "multitag.fusions.gated:Gated",
        "film": "multitag.fusions.film:Film",
        "bilinear": "multitag.fusions.bilinear:Bilinear",
        "cross_attention": "multitag.fusions.cross_attention:CrossAttention",
        "simple_cross": "multitag.fusions.simple_cross:SimpleCross",
        "dvtt": "multitag.fusions.dvtt:DVTT",
    },
)

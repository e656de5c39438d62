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
    },
)

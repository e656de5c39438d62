"""Losses: how far the logits are from the targets, unknown labels left out."""

from multitag.losses.base import Loss as Loss
from multitag.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "bce": "multitag.losses.bce:BCE",
        "weighted_bce": "multitag.losses.weighted_bce:WeightedBCE",
        "class_weighted_bce": "multitag.losses.class_weighted_bce:ClassWeightedBCE",
        "focal": "multitag.losses.focal:Focal",
        "asymmetric": "multitag.losses.asymmetric:Asymmetric",
        "zlpr": "multitag.losses.zlpr:ZLPR",
        "two_way": "multitag.losses.two_way:TwoWay",
        "hill": "multitag.losses.hill:Hill",
        "distribution_balanced": "multitag.losses.distribution_balanced:DistributionBalanced",
    },
)

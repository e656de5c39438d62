"""From the logits of several models to one: how the members of an ensemble are joined.

A combiner maps logits (M, N, K) of M members to logits (N, K), so that a calibration and a decision follow it as they
follow a single model. It is fitted on rows that no member was trained on, and saved as an object of its own.
"""

from multitag.combiners.base import Combiner
from multitag.registry import Registry

__all__ = ["COMBINERS", "Combiner"]

COMBINERS = Registry(
    "combiner",
    {
        "mean": "multitag.combiners.mean:Mean",
        "lambda_weighted": "multitag.combiners.lambda_weighted:LambdaWeighted",
        "majority_vote": "multitag.combiners.majority_vote:MajorityVote",
        "stacking": "multitag.combiners.stacking:Stacking",
    },
)

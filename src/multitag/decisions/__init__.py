"""From logits to probabilities that can be trusted, and from probabilities to label sets.

A calibration maps logits (N, K) to probabilities; a decision maps probabilities to label sets. Both are
fitted on rows that the model was not trained on, are saved as an object of their own, and can be changed
after training.
"""

from multitag.registry import Registry

CALIBRATIONS = Registry(
    "calibration",
    {
        "none": "multitag.decisions.uncalibrated:Uncalibrated",
        "temperature": "multitag.decisions.temperature:Temperature",
        "per_label": "multitag.decisions.platt:PlattScaling",
    },
)

DECISIONS = Registry(
    "decision",
    {
        "global_threshold": "multitag.decisions.global_threshold:GlobalThreshold",
        "per_label": "multitag.decisions.per_label:PerLabelThresholds",
        "top_k": "multitag.decisions.top_k:TopK",
        "expected_f1": "multitag.decisions.expected_f1:ExpectedF1",
    },
)

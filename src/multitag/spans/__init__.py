"""Which words carry which label: from characters to tokens, from token probabilities back to spans of characters.

A decoder turns probabilities of tokens into spans; it is fitted on the score that spans are judged by.
"""

from multitag.registry import Registry

SPAN_DECODERS = Registry(
    "span decoder",
    {
        "global_threshold": "multitag.spans.global_threshold:GlobalSpanThreshold",
        "per_label": "multitag.spans.per_label:PerLabelSpanThresholds",
        "begin_inside": "multitag.spans.begin_inside:BeginInside",
        "crf": "multitag.spans.crf_decoder:CrfDecoder",
        "rescored": "multitag.spans.rescored:Rescored",
    },
)

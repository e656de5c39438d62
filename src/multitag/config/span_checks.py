"""What the task of spans cannot be had with."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from multitag.config.base import Component
from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.fusions.on_tokens import OnTokens
from multitag.heads import HEADS
from multitag.types import Width


def span_faults(encoders: Mapping[str, Component], modalities: Mapping[str, str], fusion: Component) -> list[str]:
    """What is wrong with encoders and their fusion where each token of the text is answered for.

    Args:
        encoders: By name.
        modalities: Of those encoders that there are.
        fusion: How they meet.
    """
    texts = [name for name, modality in modalities.items() if modality == "text"]
    faults = []
    if len(texts) != 1 and len(modalities) == len(encoders):
        fix = f"--without {texts[1]}" if texts else "--set encoders.text.name=transformers_text"
        faults.append(
            f"[encoders] task = 'spans' wants one encoder of texts, for whose tokens it answers, and any of pictures; "
            f"of texts there are {len(texts)}: {', '.join(texts) or 'none'}. Fix: {fix}"
        )
    for name, encoder in encoders.items():
        if encoder.options.get("architecture") and modalities.get(name) == "text":
            faults.append(
                f"[encoders.{name}] architecture: an untrained network learns whole words of its own, and task = "
                f"'spans' needs the same tokens in every fold. Fix: a pretrained model"
            )
    if len(texts) == 1 and (len(encoders) == 1 or fusion.name != "single"):
        faults += _fusion_faults(encoders, fusion, texts[0])
    return faults


def _fusion_faults(encoders: Mapping[str, Component], fusion: Component, text: str) -> list[str]:
    """What building the fusion complains of, its options left aside: these are checked elsewhere."""
    try:
        FUSIONS.resolve(fusion.name, fusion.options)
    except ConfigError:
        return []
    try:
        with torch.device("meta"):  # shapes alone
            OnTokens({name: Width(8, 8) for name in encoders}, fusion.name, fusion.options, text)
    except ConfigError as error:
        return [f"[fusion] {error}"]
    return []


def span_head_faults(head: Component) -> list[str]:
    """What is wrong with a head that is laid on each token."""
    if head.name not in HEADS.table or HEADS.get(head.name).needs == "pooled":
        return []
    fitting = [name for name in HEADS.table if HEADS.get(name).needs == "pooled" and not HEADS.get(name).reads_names]
    return [
        f"[head] '{head.name}' reads all tokens of a row at once, and task = 'spans' lays a head on each. "
        f"Accepted: {', '.join(fitting)}"
    ]

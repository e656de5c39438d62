"""What is wrong between the sections of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import ModuleDict

from multitag.config.sections import EncoderConfig
from multitag.config.span_checks import span_faults, span_head_faults
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.metrics import METRICS, SPAN_METRICS
from multitag.optim import HEADS_PART

if TYPE_CHECKING:
    from multitag.config.whole import Config


def cross_faults(config: Config) -> list[str]:
    """What is wrong between sections that are right each for itself."""
    monitors = [
        "loss",
        "calibrated_loss",
        *METRICS.names(),
        *(SPAN_METRICS.names() if config.task == "spans" else ()),
    ]
    faults = config.train.faults({name: encoder.frozen for name, encoder in config.encoders.items()}, monitors)
    faults += _span_faults(config) if config.task == "spans" else []
    if config.task != "spans" and config.decoder is not None:
        faults.append("[decoder] turns tokens into spans, and the task is label sets. Fix: task = 'spans'")
    if config.task != "spans" and config.joint is not None:
        faults.append("[joint] learns rows' labels beside their spans, and the task is label sets. Fix: leave it out")
    if config.pseudo is not None:
        joins_rows = config.loss.name in LOSSES.table and LOSSES.get(config.loss.name).unit == "batch"
        faults += config.pseudo.faults(config.loss.name, joins_rows=joins_rows)
    if config.teacher is not None and config.loss.name in LOSSES.table:
        faults += config.teacher.faults(config.loss.name, takes_shares=LOSSES.get(config.loss.name).takes_shares)
    for name in config.encoders:
        # The model keeps its parts under these names.
        if not name.isidentifier() or hasattr(ModuleDict(), name) or name == HEADS_PART:
            faults.append(
                f"[encoders] '{name}' cannot name an encoder. Accepted: letters, digits and _, not "
                f"'{HEADS_PART}', and no word of torch's own such as 'keys' or 'type'."
            )
    modalities = {name: modality for name, e in config.encoders.items() if (modality := _modality(e)) is not None}
    in_part = [name for name, e in config.encoders.items() if not e.frozen and e.options.get("first_trained")]
    faults += config.augment.faults(modalities, {name for name, e in config.encoders.items() if e.frozen}, in_part)
    for name, encoder in config.encoders.items():
        if encoder.frozen and _from_scratch(encoder):
            faults.append(
                f"[encoders.{name}] '{encoder.name}' has no pretrained weights here and must train with the model: "
                f"frozen it would say nothing. Fix: --set encoders.{name}.frozen=false"
            )
        if encoder.frozen and encoder.options.get("lora_rank"):
            faults.append(
                f"[encoders.{name}] lora_rank = {encoder.options['lora_rank']} trains adapters, and the encoder is "
                f"frozen. Fix: --set encoders.{name}.frozen=false, or lora_rank = 0"
            )
        if encoder.frozen and encoder.options.get("first_trained"):
            faults.append(
                f"[encoders.{name}] first_trained = {encoder.options['first_trained']} says what trains, and the "
                f"encoder is frozen. Fix: --set encoders.{name}.frozen=false, or first_trained = 0"
            )
        if not encoder.frozen and encoder.options.get("divided_at"):
            faults.append(
                f"[encoders.{name}] divided_at = {encoder.options['divided_at']} is for an encoder that stays frozen, "
                f"and this one trains. Fix: first_trained = {encoder.options['divided_at']} in its place"
            )
    faults += _head_faults(config, list(modalities.values()))
    if config.fusion.name == "single" and len(config.encoders) != 1:
        faults.append(
            f"[fusion] 'single' takes one encoder, the configuration has {len(config.encoders)}: "
            f"{', '.join(config.encoders)}. Fix: another fusion, or --without NAME."
        )
    return faults


def _head_faults(config: Config, modalities: list[str]) -> list[str]:
    """What a head that reads the labels' names cannot be had with."""
    head = config.head.name
    if head not in HEADS.table or not HEADS.get(head).reads_names:
        return []
    frozen = all(encoder.frozen for encoder in config.encoders.values())
    if frozen and modalities == ["text"] and config.fusion.name == "single" and config.task == "labels":
        return []
    return [
        f"[head] '{head}' compares texts with the labels' names: it needs task = 'labels', one frozen encoder of texts "
        f"and no other, and fusion 'single'. Fix: --without image --set fusion.name=single, or another head"
    ]


def _span_faults(config: Config) -> list[str]:
    """What the task of spans cannot be had with."""
    modalities = {name: modality for name, e in config.encoders.items() if (modality := _modality(e)) is not None}
    faults = span_faults(config.encoders, modalities, config.fusion) + span_head_faults(config.head)
    if config.augment.steps or config.augment.rare:
        faults.append("[augment] changes rows' words or numbers, and spans would not fit them. Fix: leave it out")
    if config.pseudo is not None:
        faults.append("[pseudo] is for label sets: task = 'spans' has no pseudo-labels. Fix: leave it out")
    if config.teacher is not None:
        faults.append("[teacher] is for label sets: task = 'spans' has no teachers. Fix: leave it out")
    if config.ensemble is not None:
        faults.append("[ensemble] is for label sets: task = 'spans' has no ensembles. Fix: leave it out")
    return faults


def _modality(section: EncoderConfig) -> str | None:
    try:
        return str(ENCODERS.get(section.name).modality)
    except ConfigError:  # no such encoder, or not installed: that is said elsewhere
        return None


def _from_scratch(section: EncoderConfig) -> bool:
    """Whether an encoder, with its options, starts from random weights."""
    try:
        return bool(ENCODERS.build(section.name, section.options).from_scratch)
    except ConfigError:  # no such encoder or wrong options: that is said elsewhere
        return False

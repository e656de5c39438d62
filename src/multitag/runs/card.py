"""The model card of a run: Markdown with metadata in front, as the Hugging Face hub reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from multitag.config import Config
from multitag.encoders import ENCODERS
from multitag.errors import MultitagError
from multitag.runs import card_sections as sections

LICENSE = "unknown"
"""The hub's word for a licence that nobody has chosen yet."""


def model_card(
    name: str,
    config: Config,
    labels: Sequence[str],
    metrics: Mapping[str, Any] | None,
    environment: Mapping[str, Any],
) -> str:
    """The card of a run: what it is, its data, its numbers and their rows, limits, use, training, size, versions.

    Rows are counted, never shown; of the user's files only the tables' names are said.

    Args:
        name: Of the run.
        config: What it was made by.
        labels: What it can predict.
        metrics: What metrics.json holds; without it the card says that nothing was measured.
        environment: What environment.json holds.
    """
    from huggingface_hub import ModelCardData

    modalities = modalities_of(config)
    tag = _pipeline_tag(config, modalities)
    found = metrics or {}
    data = ModelCardData(
        license=LICENSE,
        library_name="multitag",
        tags=["multitag", "multi-label-classification" if config.task == "labels" else "span-tagging", *modalities],
        pipeline_tag=tag,
        model_name=name,
        eval_results=_results(tag, config, found) or None,
    )
    parts = [
        sections.head(name, config, modalities, len(labels), found),
        sections.data(labels, found),
        sections.numbers(config, found),
        sections.limits(config, modalities, found),
        sections.use(name, config, modalities),
        sections.training(config, found),
        sections.versions(environment),
    ]
    return f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n"


def modalities_of(config: Config) -> list[str]:
    """What the model reads: ``"image"``, ``"text"`` or both; of members that are runs of their own it is not known."""
    configs = [config] if config.ensemble is None else [each for each in config.members.values() if each is not None]
    found = set()
    for each in configs:
        for section in each.encoders.values():
            try:
                found.add(str(ENCODERS.get(section.name).modality))
            except MultitagError:  # an encoder of an extra that is not here: nothing to say of it
                continue
    return sorted(found) or ["image", "text"]


def _pipeline_tag(config: Config, modalities: Sequence[str]) -> str:
    """The nearest of the hub's tasks; it has none for pictures beside texts."""
    if config.task == "spans":
        return "token-classification"
    return "image-classification" if "image" in modalities else "text-classification"


def _results(tag: str, config: Config, metrics: Mapping[str, Any]) -> list[Any]:
    from huggingface_hub import EvalResult

    scored = (metrics.get("validation") or {}).get("metrics", {})
    facts = metrics.get("data", {})
    split = str(metrics.get("scored_on", "validation"))
    table = facts.get("valid") if split == "valid" else None
    return [
        EvalResult(
            task_type=tag,
            task_name="multi-label classification" if config.task == "labels" else "span tagging",
            dataset_type="table",
            dataset_name=str(table or facts.get("table", "a table")),
            dataset_split=split,
            metric_type=metric,
            metric_name=metric.replace("_", " "),
            metric_value=score["value"],
        )
        for metric, score in scored.items()
        if score["value"] is not None
    ]

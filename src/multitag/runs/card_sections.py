"""The sections of a model card, each a piece of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from multitag.config import Config
from multitag.runs.card_markdown import listed, shown, table

RARE = 20
"""A label of fewer training rows is called rare."""
_SCORED = {
    "held_out": "{} rows held out of training. They also chose the epoch, the calibration and the decision, so the "
    "numbers are a little too good.",
    "out_of_fold": "{} rows, each predicted by a model that was not trained on it. They also chose the epoch, the "
    "calibration and the decision, so the numbers are a little too good.",
    "valid": "{} rows of a table of their own, which chose nothing.",
}


def head(
    name: str, config: Config, modalities: Sequence[str], labels: int, metrics: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """What it is."""
    reads = {"image": "pictures", "text": "texts"}
    what = " and ".join(reads[modality] for modality in modalities)
    does = (
        f"Marks stretches of texts with {labels} labels."
        if config.task == "spans"
        else f"Gives each row, {what}, a set of labels out of {labels}, with a calibrated probability for each label."
    )
    recipe = "" if config.recipe is None else f" Trained by the recipe of {shown(config.recipe.title)}."
    members = "" if config.ensemble is None else f" An ensemble of {len(config.ensemble.members)} models."
    coming = metrics.get("plan", {}).get("to_come")
    unfinished = f" Written while its training went on: {listed(coming)} were to come." if coming else ""
    return f"# {shown(name)}\n\n{does}{members}{recipe} Made with multitag.{unfinished}"


def data(labels: Sequence[str], metrics: Mapping[str, Any]) -> str:
    """Which tables, how many rows, how often each label."""
    facts, rows = metrics.get("data"), metrics.get("rows", {})
    if not facts:
        return "## Data\n\nNothing is known of the data it was trained on.\n\nLabels: " + listed(labels) + "."
    tables = {"table": "trained on", "valid": "validated on", "unlabeled": "more rows, without labels, from"}
    lines = [f"- {said}: {shown(facts[key])}" for key, said in tables.items() if key in facts]
    if "teacher" in metrics:
        run = Path(metrics["teacher"]["run"]).name
        lines.append(f"- taught by the run {shown(run)}, and so by the rows which that was trained on")
    lines += [
        f"- {facts['rows']} labelled rows, {facts['pictures']} with a picture, {facts['texts']} with a text",
        f"- split: {rows.get('train', 0)} rows trained on, {rows.get('valid', 0)} scored",
    ]
    scored = {label["label"]: label["support"] for label in metrics["validation"]["labels"]}
    counts = [(name, facts["labels"].get(name, 0), scored.get(name, 0)) for name in labels]
    return "## Data\n\n" + "\n".join(lines) + "\n\n" + table(("label", "training rows", "scored"), counts)


def numbers(config: Config, metrics: Mapping[str, Any]) -> str:
    """Every metric with its interval, and each label's scores."""
    scores = metrics.get("validation")
    if not scores:
        return "## Numbers\n\nNothing was measured."
    rows = [
        (name, _number(score["value"]), f"{_number(score['low'])} to {_number(score['high'])}")
        for name, score in scores["metrics"].items()
    ]
    measured = _SCORED[metrics["scored_on"]].format(scores["rows"])
    decided = "Spans" if config.task == "spans" else "Label sets"
    by = metrics.get("decoder") or metrics.get("decision")
    columns = ("label", "precision", "recall", "F1", "predicted")
    per_label = [
        (each["label"], *(_number(each[key]) for key in ("precision", "recall", "f1")), each["predicted"])
        for each in scores["labels"]
    ]
    return (
        f"## Numbers\n\nMeasured on {measured} {decided} are decided by `{by}`.\n\n"
        + table(("metric", "value", "95 % interval"), rows)
        + "\n\n"
        + table(columns, per_label)
    )


def limits(config: Config, modalities: Sequence[str], metrics: Mapping[str, Any]) -> str:
    """What it should not be trusted with."""
    lines = ["It knows the labels above and no others. On data unlike its training rows its probabilities may be off."]
    facts, scores = metrics.get("data"), metrics.get("validation")
    if facts:
        rare = [f"{name} ({count})" for name, count in facts["labels"].items() if count < RARE]
        if rare:
            lines.append(f"Rarely seen, in fewer than {RARE} training rows: {listed(rare)}.")
        hidden = config.train.modality_dropout > 0 and len(modalities) > 1
        taken = metrics.get("lacking", {})
        lines += [
            _missing(modality, facts, taken.get(modality), hidden=hidden)
            for modality in modalities
            if config.task == "labels"
        ]
    if scores:
        never = [each["label"] for each in scores["labels"] if each["predicted"] == 0 and each["support"]]
        if never:
            lines.append(f"Never predicted on the scored rows, though some have them: {listed(never)}.")
        if scores["unseen"]:
            lines.append(f"In the scored rows but not in training, so never predicted: {listed(scores['unseen'])}.")
        if seen := metrics.get("teacher", {}).get("scored"):
            lines.append(f"The run that taught it was trained on {seen} of the scored rows: the numbers are too good.")
        if scores["rows"] < 100:
            lines.append(f"The scores are of {scores['rows']} rows only: look at the intervals.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def _missing(modality: str, facts: Mapping[str, Any], taken: Mapping[str, Any] | None, *, hidden: bool) -> str:
    """What is to be expected of rows without a picture, or a text; `taken` has the scores where all were taken away."""
    what, have = ("picture", facts["pictures"]) if modality == "image" else ("text", facts["texts"])
    lacking = facts["rows"] - have
    practised = ", hidden in some steps of the training" if hidden else ""
    seen = (
        f"{lacking} of {facts['rows']} training rows have no {what}."
        if lacking
        else f"Every training row has a {what}{practised}."
    )
    if taken is None:
        return f"{seen} Rows without one are predicted, and were not measured."
    score = _number(taken["metrics"]["samples_f1"])
    return f"{seen} With it taken away, {taken['rows']} rows that have both are labelled with a samples F1 of {score}."


def use(name: str, config: Config, modalities: Sequence[str]) -> str:
    """The command and the lines of Python."""
    spans = config.task == "spans"
    pictures = " --images images/" if "image" in modalities else ""
    in_python = ', images="images"' if "image" in modalities else ""
    out = "spans.json" if spans else "predictions.csv"
    kind = "SpanTagger" if spans else "Classifier"
    answer = "spans" if spans else "labels"
    return (
        "## How to use\n\nWith this folder in the current one, under any name:\n\n"
        f"```bash\npip install multitag\nmultitag predict FOLDER new.csv{pictures} --out {out}\n```\n\n"
        f'```python\nfrom multitag import {kind}\n\nmodel = {kind}.load("FOLDER")\n'
        f'print(model.predict("new.csv"{in_python}).{answer})\n```\n\n'
        "Frozen encoders are not in the folder: they are found where the configuration says, and must be the same."
    )


def training(config: Config, metrics: Mapping[str, Any]) -> str:
    """The settings that matter most; config.toml has them all."""
    train = config.train
    rows: list[tuple[str, Any]] = []
    if config.ensemble is None:
        rows += [
            (f"encoder {name}", _encoder(section.name, section.options, frozen=section.frozen))
            for name, section in config.encoders.items()
        ]
        rows += [("fusion", config.fusion.name), ("head", config.head.name), ("loss", config.loss.name)]
    else:
        rows += [("members", ", ".join(config.ensemble.members)), ("combiner", config.ensemble.combiner.name)]
    rows += [
        (
            "optimizer",
            f"{train.optimizer}, {train.schedule}, learning rate {train.lr:g} of heads, "
            f"{train.encoder_lr:g} of encoders that train",
        ),
        ("epochs", f"at most {train.epochs}, batches of {train.batch_size}"),
        ("folds and seeds", f"{train.folds} folds, {train.seeds} seeds, first seed {config.seed}"),
        ("precision", train.precision),
        ("calibration", config.calibration.name),
    ]
    if "networks" in metrics:
        rows.append(("models kept", metrics["networks"]))
    size = metrics.get("size")
    if size:
        rows += [
            ("trained weights", f"{size['trained_parameters']:,} numbers, {size['trained_megabytes']} MB"),
            ("frozen encoders", f"{size['frozen_parameters']:,} numbers, {size['frozen_megabytes']} MB"),
        ]
    if metrics.get("seconds"):
        rows.append(("seconds", ", ".join(f"{stage} {value}" for stage, value in metrics["seconds"].items())))
    return "## Training and size\n\nAll settings are in `config.toml`.\n\n" + table(("", ""), rows)


def _encoder(name: str, options: Mapping[str, Any], *, frozen: bool) -> str:
    """Its name, its model without the folder that it was read from, and whether it was trained."""
    model = options.get("model")
    which = "" if model is None else f" ({Path(str(model)).name if Path(str(model)).exists() else model})"
    first = options.get("first_trained", 0)
    trained = f"trained from block or layer {first} on" if first else "trained"
    return f"{name}{which}, {'frozen' if frozen else trained}"


def versions(environment: Mapping[str, Any]) -> str:
    """What it was made with."""
    packages = {"multitag": environment["multitag"], "python": environment["python"], **environment["packages"]}
    said = ", ".join(f"{name} {version}" for name, version in packages.items())
    return f"## Versions\n\n{said}. Written {environment['written']}."


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"

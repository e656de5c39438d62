"""Make docs/components/*.md from the registries: python scripts/component_docs.py"""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

from describe import DOCS, accepted, arguments, cell, code, prose, table, write

from multitag.augment import AUGMENTATIONS
from multitag.combiners import COMBINERS
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.metrics import METRICS, SPAN_METRICS
from multitag.registry import Registry
from multitag.spans import SPAN_DECODERS

KINDS = {
    "encoders": (
        ENCODERS,
        "encoders.text",
        "An encoder turns a picture or a text into one vector, and into tokens where a fusion asks for them. "
        "A frozen encoder keeps its weights. Its output is kept in the feature store, so it runs once per picture "
        "or text. `frozen = false` trains it with the model.\n\n"
        "Every encoder has a name of its own in the configuration, `[encoders.NAME]`. There may be several of one "
        "modality. A row without the modality gets a learned vector in its place.",
    ),
    "augmentations": (
        AUGMENTATIONS,
        "augment",
        "An augmentation changes training rows at random in ways that leave their labels true. Each row is changed "
        "anew in each epoch, by chances that depend on the run's `seed`, the epoch, the step and the row alone. "
        "Pictures and texts are changed for encoders that train (`frozen = false`); what a frozen encoder says is "
        "stored, and never changes. Several are applied one after another, in the order given. See `[augment]` in "
        "[configuration](../configuration.md).",
    ),
    "fusions": (
        FUSIONS,
        "fusion",
        "A fusion joins what the encoders say of a row. It has one or more branches, each branch gets a head, and the "
        "heads' logits are added, where nothing else is said. x_v stands for the picture's vector, x_t for the "
        "text's, H for a head, z for the logits.\n\n"
        "Writing one of your own takes five minutes: [adding a fusion](../adding-a-fusion.md).",
    ),
    "heads": (
        HEADS,
        "head",
        "A head turns what a branch says of a row into a logit for each label. Most read the branch's vector. "
        "`label_queries` and `residual_attention` read its tokens: words, or the places of a picture's grid. They need "
        "encoders with tokens, and a fusion that hands them on, such as `single`, `sum`, `concat` and `mixed`.",
    ),
    "losses": (
        LOSSES,
        "loss",
        "A loss says how far the logits are from the targets. It is a mean over all known labels of all rows; that of "
        "`zlpr` is over rows, that of `two_way` over rows and over labels. Labels that are not known are left out. z "
        "stands for a logit, y for its target, 0 or 1, and p for sigmoid(z).\n\n"
        "Losses that weigh labels by how common they are count them in the training rows. Most losses move the "
        "probabilities; the calibration and the decision, fitted afterwards, make up for that.",
    ),
    "calibrations": (
        CALIBRATIONS,
        "calibration",
        "A calibration turns logits into probabilities that can be taken at their word: of the labels given "
        "probability .7, seven in ten should be right. It is fitted on rows that the model was not trained on.",
    ),
    "decisions": (
        DECISIONS,
        "decision",
        "A decision turns probabilities into a set of labels. It is fitted on rows that the model was not trained on, "
        "and can be changed after training: `multitag evaluate RUN TABLE --decision NAME`.",
    ),
    "combiners": (
        COMBINERS,
        "ensemble.combiner",
        "A combiner joins what the members of an [ensemble](../configuration.md#ensembles) say. It reads their "
        "calibrated logits, gives logits, and a calibration and a decision follow it as after a single model. It is "
        "fitted on rows that no member was trained on. M stands for the number of members, p_n for the probability "
        "that member n gives.",
    ),
    "metrics": (
        METRICS,
        "",
        "All metrics are computed at every evaluation, each with its 95 % bootstrap interval. Any of them, or `loss`, "
        "can choose the best epoch: `--set train.monitor=samples_f1`.\n\n"
        "Where nothing was asked and nothing was said, 0 / 0 counts as 1. Labels that are not known are left out.",
    ),
    "span-decoders": (
        SPAN_DECODERS,
        "decoder",
        "A span decoder turns what the model says of each token into [spans](../spans.md). It is fitted on texts that "
        "the model was not trained on, on the score that spans are judged by. K stands for the number of labels.",
    ),
    "span-metrics": (
        SPAN_METRICS,
        "",
        "All metrics of [spans](../spans.md) are computed at every evaluation, each with its 95 % bootstrap interval "
        "over rows. Overlapping predicted spans of one label are merged first, as the task's own scorer does. With "
        "partial matches, every pair of a predicted span s and a gold span t of one label in one text adds "
        "|s ∩ t| / |s| to the numerator of precision and |s ∩ t| / |t| to that of recall; the denominators are the "
        "numbers of predicted and of gold spans of all texts. Rows whose spans are not known are left out.",
    ),
}


def page(kind: str) -> list[str]:
    """The lines of one page."""
    registry, section, intro = KINDS[kind]
    lines = [
        f"# {kind.replace('-', ' ').capitalize()}",
        "",
        "<!-- Made by scripts/component_docs.py; change the docstrings. -->",
        "",
    ]
    lines += [intro, ""]
    for name in registry.names():
        lines += [f"## `{name}`", ""]
        try:
            lines += _component(registry, name, section)
        except ConfigError as error:
            raise SystemExit(f"install every extra before making these pages: {error}") from error
    return lines[:-1]


def _component(registry: Registry, name: str, section: str) -> list[str]:
    component = registry.get(name)
    lines = [prose(component), ""]
    extra = registry.extra(name)
    if extra:
        lines += [f"Needs `pip install 'multitag[{extra}]'`.", ""]
    if not section:
        return lines
    options = registry.options(name)
    if options:
        said = arguments(component)
        hints = get_type_hints(component.__init__ if inspect.isclass(component) else component, include_extras=True)
        rows = [
            [f"`{key}`", accepted(hints[key]), _default(p, section), cell(said.get(key, ""))]
            for key, p in options.items()
        ]
        lines += [*table(["option", "accepted", "default", "meaning"], rows), ""]
    if section == "augment":
        return [*lines, f"`--set 'augment.steps=[{{name = \"{name}\"}}]'`", ""]
    where = f"encoders.{getattr(component, 'modality', 'text')}" if section.startswith("encoders") else section
    train = f" --set {where}.frozen=false" if getattr(component, "from_scratch", False) else ""
    return [*lines, f"`--set {where}.name={name}{train}`", ""]


def _default(parameter: inspect.Parameter, section: str) -> str:
    if parameter.default is inspect.Parameter.empty:
        return "needed"
    if parameter.default is None:
        return "chosen on held-out rows" if section in ("calibration", "decision") else "not set"
    return code(parameter.default)


def pages() -> dict[str, Any]:
    """All pages by path."""
    return {DOCS / "components" / f"{kind}.md": page(kind) for kind in KINDS}


if __name__ == "__main__":
    for path, lines in pages().items():
        write(path, lines)

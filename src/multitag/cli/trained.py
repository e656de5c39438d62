"""What a training says when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from multitag.cli import output

if TYPE_CHECKING:
    from multitag.fitting.fitted import Fitted
    from multitag.fitting.tagging import FittedTagging

_SCORED = {
    "held_out": "validation, {} rows (they also chose epoch and decision",
    "out_of_fold": "out of fold, {} rows, each predicted without having been trained on (they also chose epoch and "
    "decision",
    "valid": "validation, {} rows (they chose nothing",
}


def print_fitted(fitted: Fitted | FittedTagging, out: Path, images: Path | None) -> None:
    """The scores of the rows held out, what was saved, and what to type next.

    Args:
        fitted: What was fitted.
        out: Its run folder.
        images: The folder of its pictures, where one was given.
    """
    from multitag.cli import scores
    from multitag.fitting.tagging import FittedTagging

    scores.print_labels(fitted.evaluation)
    title = f"{_SCORED[fitted.scored_on].format(fitted.rows['valid'])}; score others with evaluate)"
    scores.print_metrics(title, fitted.evaluation)
    if not isinstance(fitted, FittedTagging) and fitted.members:
        scores.print_members(fitted.members, fitted.evaluation)
    if not isinstance(fitted, FittedTagging) and fitted.lacking:
        scores.print_lacking(fitted.lacking)
    if not isinstance(fitted, FittedTagging) and fitted.generations:
        scores.print_pseudo_labels(fitted.taught)
        scores.print_generations(fitted.generations, fitted.taught)
    _print_saved(out, fitted)
    if lines := fitted.plan.lines():
        output.say("\n".join([*(f" {line}" for line in lines), ""]))
    pictures = "" if images is None else f" --images {images}"
    if isinstance(fitted, FittedTagging):
        more = {"tag new texts": f"multitag predict {out} new.json{pictures} --out spans.json"}
    else:
        more = {"label new rows": f"multitag predict {out} new.csv{pictures} --out predictions.csv"}
    table = "test.json" if isinstance(fitted, FittedTagging) else "test.csv"
    output.print_commands({"score it": f"multitag evaluate {out} {table}{pictures}", **more})


def _print_saved(out: Path, fitted: Fitted | FittedTagging) -> None:
    from multitag.fitting.tagging import FittedTagging

    size, seconds = fitted.size, fitted.seconds
    taught_by = {}
    if not isinstance(fitted, FittedTagging) and (teacher := fitted.teacher) is not None:
        said = {"trained_on": "that it was trained on", "other": "that it was not"}
        counts = [f"{count} rows {said[how]}" for how, count in teacher["rows"].items() if count]
        taught_by = {"teacher": f"{teacher['run']}: {', '.join(counts)}"}
    models = f" of {fitted.networks} models" if fitted.networks > 1 else ""
    output.print_pairs(
        f"saved in {out}",
        {
            "trained on": f"{fitted.rows['train']} rows, {len(fitted.history)} epochs{models}",
            **taught_by,
            "seconds": ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items()),
            "trained weights": f"{size.trained_parameters:,} numbers, {size.trained_megabytes:.1f} MB",
            "frozen encoders": f"{size.frozen_parameters:,} numbers, {size.frozen_megabytes:.1f} MB",
        },
    )

"""Opening a run for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from multitag.cli import options

if TYPE_CHECKING:
    from multitag.classifier import Classifier


def open_run(run: Path, decision: str | None, given: list[str] | None, **data: Any) -> Classifier:
    """The run in a folder, with another decision and other columns where the options say so.

    Raises:
        RunError: The folder is no whole run.
        ConfigError: A decision or an option that does not exist.
    """
    from multitag.classifier import Classifier

    classifier = Classifier.load(run)
    if changes := options.data_changes(**data):
        classifier.config = classifier.config.with_data(changes)
    chosen = options.chosen_options("--decision", decision, given)
    if decision is not None:
        classifier.set_decision(decision, **chosen)
    return classifier

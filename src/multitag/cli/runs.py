"""Opening a run for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from multitag.cli import options
from multitag.errors import ConfigError

if TYPE_CHECKING:
    from multitag.classifier import Classifier


def open_run(run: Path, decision: str | None, decision_options: list[str] | None, **data: Any) -> Classifier:
    """The run in a folder, with another decision and other columns where the options say so.

    Raises:
        RunError: The folder is no whole run.
        ConfigError: A decision or an option that does not exist.
    """
    from multitag.classifier import Classifier

    classifier = Classifier.load(run)
    changes = options.data_changes(**data)
    if changes:
        classifier.config = classifier.config.with_data(changes)
    if decision is not None:
        chosen = dict(_pair(text) for text in decision_options or [])
        if "name" in chosen:
            raise ConfigError(f"--option name={chosen['name']}: a decision's name is given by --decision")
        classifier.set_decision(decision, **chosen)
    elif decision_options:
        raise ConfigError("--option belongs to --decision, and there is none. Fix: name the decision too")
    return classifier


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--option '{text}' is not of the form key=value")
    return key.strip(), value.strip()

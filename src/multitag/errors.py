"""Every error that multitag raises for a user: one family, so that one `except` catches them.

A message names the thing, the value it got, what is accepted and the fix. Faults that can be known together come
together (`Faults`), because mending a table one row a run is misery.
"""

from __future__ import annotations

from collections.abc import Sequence


class MultitagError(Exception):
    """Base of all errors meant for a user; the command line prints it without a traceback."""

    exit_code = 1


class DataError(MultitagError):
    """A table, a row or a picture is not what it must be."""

    exit_code = 3


class ConfigError(MultitagError):
    """A configuration, an option or a recipe is not valid."""

    exit_code = 4


class WeightsError(MultitagError):
    """An encoder's weights, or the package that holds them, cannot be had."""

    exit_code = 5


class RunError(MultitagError):
    """A run folder is missing, cut short, of another version, or does not fit what was asked."""

    exit_code = 6


class NotFittedError(MultitagError):
    """A verb that needs a fitted object was called before `fit`."""

    exit_code = 7


def faults_message(title: str, faults: Sequence[str], *, fix: str = "", limit: int = 50) -> str:
    """One message out of many faults: a title with their number, a line each, and the fix.

    Args:
        title: What is wrong, e.g. ``"3 pictures cannot be used"``.
        faults: One line each; those past `limit` are counted, not printed.
        fix: What to do, as the last line.
        limit: The most faults printed.
    """
    lines = [title, *(f"  {fault}" for fault in faults[:limit])]
    if len(faults) > limit:
        lines.append(f"  ... and {len(faults) - limit} more")
    if fix:
        lines.append(fix)
    return "\n".join(lines)


class DataWarning(UserWarning):
    """Something in the data that a user should look at, though a sensible result is possible."""

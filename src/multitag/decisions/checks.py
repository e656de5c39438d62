"""What probabilities, gold labels and options must be, and the errors that say so."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from multitag.errors import ConfigError, DataError
from multitag.types import FloatArray


def check_probabilities(probs: npt.ArrayLike) -> FloatArray:
    """Probabilities (N, K) as float32 or float64.

    Raises:
        DataError: Not two-dimensional, NaN, or outside [0, 1].
    """
    values = _matrix("probabilities", probs)
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        bad = ~((values >= 0) & (values <= 1))
        row, label = np.argwhere(bad)[0]
        raise DataError(
            f"probabilities must be numbers in [0, 1]; {int(bad.sum())} of {values.size} are not, "
            f"the first at row {row}, label {label}: {values[row, label]}. "
            "Fix: apply a calibration to the logits first, and look for NaN in the model's outputs."
        )
    return values


def check_logits(logits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Logits (N, K) as float64.

    Raises:
        DataError: Not two-dimensional, or NaN.
    """
    values = _matrix("logits", logits).astype(np.float64)
    bad = np.isnan(values)
    if bad.any():
        row, label = np.argwhere(bad)[0]
        raise DataError(
            f"logits must not be NaN; {int(bad.sum())} of {values.size} are, "
            f"the first at row {row}, label {label}. "
            "Fix: look for a learning rate that is too high, or broken features."
        )
    return values


def check_choice(option: str, value: str, choices: Any) -> None:
    """Raises ConfigError unless `value` is one of the `choices`, a `Literal`."""
    if value not in get_args(choices):
        accepted = ", ".join(f"'{choice}'" for choice in get_args(choices))
        raise ConfigError(f"option '{option}' = {value!r}; accepted: {accepted}.")


def check_at_least(option: str, value: float, least: float) -> None:
    """Raises ConfigError unless `value` is a number of at least `least`."""
    if not value >= least:
        raise ConfigError(f"option '{option}' = {value!r}; accepted: {least} or more.")


def check_within(option: str, value: Any, least: float, most: float, *, or_else: str) -> None:
    """Raises ConfigError unless `value` is a number from `least` to `most`; `or_else` is accepted too, and checked."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ConfigError(f"option '{option}' = {value!r}; accepted: '{or_else}', or a number from {least} to {most}.")


def _matrix(what: str, given: npt.ArrayLike) -> FloatArray:
    values = np.asarray(given)
    if values.ndim != 2:
        raise DataError(f"{what} must have the shape (rows, labels); got {values.shape}.")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    return values

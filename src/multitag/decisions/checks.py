"""What probabilities, gold labels and options must be, and the errors that say so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from multitag.errors import ConfigError, DataError, RunError
from multitag.types import BoolArray, FloatArray


class Gold(NamedTuple):
    """Gold labels (N, K) as two masks: has the label, and it is known whether it has."""

    positive: BoolArray
    known: BoolArray


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


def check_gold(gold: npt.ArrayLike, shape: tuple[int, ...]) -> Gold:
    """Gold labels of that shape, 1, 0 or NaN (not known), as masks.

    Raises:
        DataError: Another shape, another value, or not one known label.
    """
    values = np.asarray(gold)
    if values.shape != shape:
        raise DataError(f"gold labels have the shape {values.shape}, but the outputs to fit on have {shape}.")
    positive = values == 1
    known = positive | (values == 0)
    strange = ~known & ~np.isnan(values)
    if strange.any():
        row, label = np.argwhere(strange)[0]
        raise DataError(
            f"gold[{row}, {label}] is {values[row, label]}; accepted: 1 (has the label), 0 (has not), NaN (not known)."
        )
    if not known.any():
        raise DataError("there is not one known gold label to fit on. Fix: give rows whose labels are known.")
    return Gold(np.asarray(positive), np.asarray(known))


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


def saved(state: Mapping[str, Any], key: str) -> Any:
    """The entry `key` of a saved state.

    Raises:
        RunError: It is not there.
    """
    if key not in state:
        found = ", ".join(f"'{name}'" for name in state) or "nothing"
        raise RunError(
            f"the saved state lacks '{key}'; it holds {found}. "
            "Fix: fit again; the state is of another component or of another version."
        )
    return state[key]


def _matrix(what: str, given: npt.ArrayLike) -> FloatArray:
    values = np.asarray(given)
    if values.ndim != 2:
        raise DataError(f"{what} must have the shape (rows, labels); got {values.shape}.")
    if values.dtype not in (np.float32, np.float64):
        values = values.astype(np.float64)
    return values

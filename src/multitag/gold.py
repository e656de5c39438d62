"""Gold labels as everything that is fitted on held-out rows reads them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.errors import DataError
from multitag.types import BoolArray


class Gold(NamedTuple):
    """Gold labels (N, K) as two masks: has the label, and it is known whether it has."""

    positive: BoolArray
    known: BoolArray


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

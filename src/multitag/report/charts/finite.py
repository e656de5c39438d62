"""Numbers that JSON has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def finite(values: Sequence[float] | npt.NDArray[Any]) -> list[float | int | None]:
    """Numbers that JSON has: NaN and infinities are `None`."""
    array = np.asarray(values)
    return [value if np.isfinite(value) else None for value in array.tolist()]

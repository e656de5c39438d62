"""Rows with rare labels are seen more often, each time changed in another way."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def repeat_factors(targets: npt.NDArray[np.float32], rare: float) -> npt.NDArray[np.float64]:
    """How often each row is to be seen in an epoch: repeat factor sampling (LVIS, Gupta et al. 2019).

    A label that a share f of the rows has, of those where it is known, gets max(1, sqrt(rare / f)); a row gets the
    largest of its labels'. So labels rarer than `rare` are seen more often, by the square root of how much rarer they
    are, and rows without such a label once.

    Args:
        targets: (N, K), NaN where a label is not known.
        rare: The share of the rows under which a label counts as rare; 0 repeats nothing.

    Returns:
        (N,), 1 or more.
    """
    has = targets > 0.5
    known = np.maximum(1, (~np.isnan(targets)).sum(0))
    share = has.sum(0) / known
    of_label = np.sqrt(np.maximum(1.0, rare / np.maximum(share, 1e-12)))
    factors: npt.NDArray[np.float64] = np.where(has, of_label, 1.0).max(axis=1, initial=1.0)
    return factors


def repeated(factors: npt.NDArray[np.float64], seed: int) -> list[int]:
    """The rows of an epoch: each row as often as its factor says, a broken part rounded up or down by chance.

    The chance is drawn once, so that every epoch is of the same length.
    """
    whole = np.floor(factors)
    extra = np.random.default_rng(seed).random(len(factors)) < factors - whole
    times = (whole + extra).astype(int)
    # Every row once, then the copies: without rare labels this is 0 to N - 1.
    copies = [int(row) for row in np.repeat(np.arange(len(factors)), times - 1)]
    return [*range(len(factors)), *copies]

"""Which parts are taken away together, and what each part is then worth. Pure functions of arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.types import BoolArray

Floats = npt.NDArray[np.float64]


def shared_out(masks: BoolArray, falls: Floats) -> Floats:
    """What each part is worth (P, K): the mean, over the masks that have it, of its share of what the mask cost.

    Args:
        masks: (M, P), which parts each one takes away.
        falls: (M, K), what that cost each label.
    """
    share = masks / masks.sum(1, keepdims=True)
    worth: Floats = share.T @ falls / masks.sum(0)[:, None]
    return worth


def highest(worth: Floats, count: int) -> BoolArray:
    """A mask (P,) of the `count` parts that are worth most; the first where several are worth the same."""
    mask = np.zeros(len(worth), bool)
    mask[np.argsort(-worth, kind="stable")[:count]] = True
    return mask


def drawn(parts: int, count: int, rounds: int, rng: np.random.Generator) -> BoolArray:
    """Masks (rounds, parts) of `count` parts each, drawn at random."""
    return np.array([highest(rng.random(parts), count) for _ in range(rounds)])

"""One threshold for several labels: the exact optimum of their mean F1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from multitag.decisions.cuts import Ranking, above, between, f1
from multitag.types import FloatArray

_TIE = 1e-12
_PARTS = 1024
_SPLIT = 8


def best_macro_cut(rankings: Sequence[Ranking]) -> float:
    """The threshold t of the rule ``p >= t`` with the best mean F1 over labels; the highest of equally good
    ones.

    A best cut lies just under a positive or above everything. Between two cuts no label's F1 exceeds the hits
    of the lower one with the claims of the upper one, so only stretches whose bound reaches the best mean
    seen are looked into, in ever smaller parts: the exact optimum, though few cuts are read.

    Args:
        rankings: One for each label, at least one.
    """
    cuts = np.unique(np.concatenate([ranking.positives for ranking in rankings]))
    highest = max((float(ranking.values[-1]) for ranking in rankings if len(ranking.values)), default=None)
    if highest is None:
        return 0.5
    wanted = np.array([[ranking.wanted] for ranking in rankings])
    cuts = np.append(cuts, cuts.dtype.type(np.inf))
    places = np.unique(np.linspace(0, len(cuts) - 1, _PARTS).astype(np.int64))
    hits, claims = _counts(rankings, cuts[places])
    while True:
        scored = f1(hits, wanted + claims).mean(axis=0)
        bound = f1(hits[:, :-1], wanted + claims[:, 1:]).mean(axis=0)
        gaps = np.flatnonzero((np.diff(places) > 1) & (bound >= scored.max() - _TIE))
        if not len(gaps):
            break
        starts, widths = places[gaps], places[gaps + 1] - places[gaps]
        inside = starts[:, None] + widths[:, None] * np.arange(1, _SPLIT) // _SPLIT
        more = np.setdiff1d(inside, places)
        further = _counts(rankings, cuts[more])
        order = np.argsort(np.concatenate([places, more]), kind="stable")
        places = np.concatenate([places, more])[order]
        hits = np.concatenate([hits, further[0]], axis=1)[:, order]
        claims = np.concatenate([claims, further[1]], axis=1)[:, order]
    best = int(places[np.flatnonzero(scored >= scored.max() - _TIE)[-1]])
    if best == len(cuts) - 1:
        return above(highest)
    cut = float(cuts[best])
    lower = [ranking.values[: np.searchsorted(ranking.values, cuts[best])] for ranking in rankings]
    return between(max((float(values[-1]) for values in lower if len(values)), default=0.0), cut)


def _counts(rankings: Sequence[Ranking], cuts: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Hits and claims (K, C) of each label from each cut on."""
    hits = np.stack([ranking.hits(cuts) for ranking in rankings])
    return hits, np.stack([ranking.claims(cuts) for ranking in rankings])

"""One threshold for all labels: the exact optimum of an F1 by one sort of all decisions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.decisions.base import Target
from multitag.decisions.blocks import map_blocks
from multitag.decisions.cuts import Ranking, above, best_cut, between, f1, rank
from multitag.decisions.macro_cut import best_macro_cut
from multitag.gold import Gold
from multitag.types import BoolArray, FloatArray

_TIE = 1e-12
"""Scores that differ by less are equal: so much is lost to rounding, and it depends on the order of rows."""
_CELLS = 2_000_000
_LABELS = 16
"""Labels to a block: 16 float32 are one cache line of a row."""


def best_common_cut(probs: FloatArray, gold: Gold, target: Target, *, never_empty: bool) -> float:
    """The threshold with the best F1 for all labels together; the highest of equally good ones.

    Under the never-empty rule a row's likeliest label is in whatever the threshold, so the optimum is that of
    the rule as a whole.

    Args:
        probs: (N, K).
        gold: Masks (N, K).
        target: Which F1.
        never_empty: Whether the rule is on.

    Returns:
        The threshold t of the rule ``p >= t``, halfway between two neighbouring probabilities.
    """
    sure = np.zeros(probs.shape, bool)
    if never_empty:
        sure[np.arange(len(probs)), probs.argmax(axis=1)] = True
    if target == "samples_f1":
        return _best_mean_cut(probs, gold.positive, gold.known, sure)
    if target == "macro_f1":
        return best_macro_cut(rank_labels(probs, gold, sure))
    free = gold.known & ~sure
    hits = int((gold.positive & sure).sum())
    missed = int((gold.known & sure).sum()) - hits
    return best_cut(rank(probs[free], gold.positive[free], sure_hits=hits, sure_misses=missed))


def rank_labels(probs: FloatArray, gold: Gold, sure: BoolArray | None = None) -> list[Ranking]:
    """The known decisions of each label, sorted, those that are `sure` counted apart.

    A label that is nowhere known has no ranking.
    """

    def block(part: slice) -> list[Ranking]:
        scores = np.ascontiguousarray(probs[:, part].T)
        positive = np.ascontiguousarray(gold.positive[:, part].T)
        known = np.ascontiguousarray(gold.known[:, part].T)
        fixed = np.zeros_like(known) if sure is None else known & sure[:, part].T
        return [_rank_label(*label) for label in zip(scores, positive, known, fixed, strict=True) if label[2].any()]

    return [ranking for part in map_blocks(block, probs.shape[1], _LABELS) for ranking in part]


def _rank_label(scores: FloatArray, positive: BoolArray, known: BoolArray, sure: BoolArray) -> Ranking:
    free = known & ~sure
    hits = int((positive & sure).sum())
    missed = int(sure.sum()) - hits
    if free.all():
        return rank(scores, positive)
    return rank(scores[free], positive[free], sure_hits=hits, sure_misses=missed)


def _best_mean_cut(scores: FloatArray, positive: BoolArray, known: BoolArray, sure: BoolArray) -> float:
    """The best cut for the mean F1 of groups, the rows of (G, M), here of samples.

    Decisions enter one by one from the highest score on; each changes its own group's F1 by a gain that
    follows from the group alone, and the running sum of the gains is the whole curve.
    """
    entering, gained = [], []
    step = max(1, _CELLS // max(1, scores.shape[1]))
    for start in range(0, len(scores), step):
        part = slice(start, start + step)
        free = known[part] & ~sure[part]
        gains = _gains(scores[part], positive[part], known[part], sure[part])
        entering.append(scores[part][free])
        gained.append(gains[free])
    flat = np.concatenate(entering)
    if not len(flat):
        return 0.5
    order = np.argsort(-flat)
    flat, gains = flat[order], np.concatenate(gained)[order]
    curve = np.concatenate([[0.0], np.cumsum(gains)])
    # A cut after i decisions is possible where the next score is lower, or there is none.
    places = np.concatenate([[0], np.flatnonzero(flat[1:] < flat[:-1]) + 1, [len(flat)]])
    at = curve[places]
    place = int(places[np.argmax(at >= at.max() - _TIE * len(scores))])
    if place == 0:
        return above(float(flat[0]))
    return between(float(flat[place]) if place < len(flat) else 0.0, float(flat[place - 1]))


def _gains(scores: FloatArray, positive: BoolArray, known: BoolArray, sure: BoolArray) -> npt.NDArray[np.float64]:
    """By how much each decision changes its group's F1 when it enters after all higher ones, (G, M)."""
    entry = np.where(known, np.where(sure, np.inf, scores), -np.inf)
    order = np.argsort(-entry, axis=1)
    hits = np.cumsum(np.take_along_axis(positive, order, axis=1), axis=1, dtype=np.float64)
    wanted = positive.sum(axis=1, keepdims=True).astype(np.float64)
    curve = f1(hits, wanted + np.arange(1, scores.shape[1] + 1))
    before = np.concatenate([(wanted == 0).astype(np.float64), curve[:, :-1]], axis=1)
    gains = np.empty(scores.shape)
    np.put_along_axis(gains, order, curve - before, axis=1)
    return gains

"""The same number of labels for every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.decisions.base import Decision, NeverEmpty, Target
from multitag.decisions.checks import check_at_least, check_choice
from multitag.decisions.cuts import f1
from multitag.gold import Gold
from multitag.saved_state import saved
from multitag.types import BoolArray, FloatArray

_MOST = 64
"""The largest number of labels that is tried when learning."""


class TopK(Decision):
    """Takes the k likeliest labels of every row, k given or learned as the one with the best F1.

    Learned, k is the best of 1 to 64 (0 too where rows may be empty), the smallest of equals. Of labels with
    equal probability the first are taken.

    Args:
        k: How many; learned where it is not given.
        metric: The F1 that is to be best.
        never_empty: As of `Decision`.

    Attributes:
        k_: How many labels a row gets.
    """

    k_: int

    def __init__(
        self, *, k: int | None = None, metric: Target = "samples_f1", never_empty: NeverEmpty = "auto"
    ) -> None:
        super().__init__(never_empty=never_empty)
        check_choice("metric", metric, Target)
        if k is not None:
            check_at_least("k", k, 1)
        self.k = k
        self.metric: Target = metric

    def _fit(self, probs: FloatArray, gold: Gold) -> None:
        if self.k is not None:
            self.k_ = self.k
            return
        scores = _scores(probs, gold, self.metric)
        least = 1 if self.never_empty_ else 0
        tried = scores[least:]
        self.k_ = least + int(np.argmax(tried >= tried.max() - 1e-12))

    def _apply(self, probs: FloatArray) -> BoolArray:
        chosen = np.zeros(probs.shape, bool)
        np.put_along_axis(chosen, _ranked(probs)[:, : self.k_], True, axis=1)
        return chosen

    def _state(self) -> dict[str, Any]:
        return {"k": self.k_}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.k_ = int(saved(state, "k"))


def _ranked(probs: FloatArray) -> npt.NDArray[np.int64]:
    return np.argsort(-probs, axis=1, kind="stable")


def _scores(probs: FloatArray, gold: Gold, target: Target) -> npt.NDArray[np.float64]:
    """The F1 of taking the top 0, 1, 2, ... labels of every row."""
    most = min(probs.shape[1], _MOST)
    order = _ranked(probs)[:, :most]
    hits = np.take_along_axis(gold.positive, order, axis=1)
    claims = np.take_along_axis(gold.known, order, axis=1)
    if target == "macro_f1":
        labels = probs.shape[1]
        cells = (order * most + np.arange(most)).ravel()
        size = labels * most
        by_rank = [np.bincount(cells, mask.ravel(), size).reshape(labels, most) for mask in (hits, claims)]
        groups, there = gold.positive.sum(axis=0), gold.known.any(axis=0)
    else:
        by_rank = [hits.astype(np.float64), claims.astype(np.float64)]
        groups, there = gold.positive.sum(axis=1), gold.known.any(axis=1)
        if target == "micro_f1":
            by_rank = [counts.sum(axis=0, keepdims=True) for counts in by_rank]
            groups, there = groups.sum(keepdims=True), np.ones(1, bool)
    found, claimed = (np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1, dtype=np.float64) for counts in by_rank)
    return np.asarray(f1(found, groups[:, None] + claimed)[there].mean(axis=0))

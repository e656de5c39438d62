"""Gold labels that look wrong: confident learning over probabilities of rows that the model was not trained on.

Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels"; for several labels a row,
each label is a question of its own (Thyagarajan et al. 2022, "Identifying Incorrect Annotations in Multi-Label
Classification Data"). Done by cleanlab.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from multitag.errors import ConfigError
from multitag.metrics.answers import Answers


@dataclass(frozen=True)
class LabelError:
    """A gold label that is probably wrong.

    Attributes:
        row: Its row's place.
        label: The label in question.
        given: Whether gold has it.
        probability: What the model says of it.
        quality: The probability of what gold says; the lower, the more doubtful.
    """

    row: int
    label: str
    given: bool
    probability: float
    quality: float


@dataclass(frozen=True)
class LabelErrors:
    """What confident learning suspects.

    Attributes:
        found: The suspects, the most doubtful first.
        wrongly_given: By label, rows that have it and probably should not.
        wrongly_lacking: By label, rows that lack it and probably should not.
        untold: Labels of which nothing can be said: too few rows have or lack them.
    """

    found: list[LabelError]
    wrongly_given: dict[str, int]
    wrongly_lacking: dict[str, int]
    untold: tuple[str, ...]


FEWEST = 5
"""Rows with and without a label below which its errors are not estimated."""


def label_errors(answers: Answers, names: Sequence[str]) -> LabelErrors:
    """Suspected label errors; cells whose gold is not known are not there.

    Args:
        answers: Gold and probabilities (N, K), of a model that was not trained on these rows.
        names: The K labels.

    Raises:
        ConfigError: cleanlab is not installed.
    """
    find = _cleanlab()
    probabilities = np.asarray(answers.probabilities, np.float64)
    found: list[LabelError] = []
    given_wrong, lacking_wrong, untold = dict[str, int](), dict[str, int](), list[str]()
    for k, name in enumerate(names):
        rows = np.flatnonzero(answers.known[:, k])
        gold, p = answers.positive[rows, k], probabilities[rows, k]
        if min(gold.sum(), (~gold).sum()) < FEWEST or not p.any():
            untold.append(name)
            continue
        suspects = find(
            labels=gold.astype(np.int64),
            pred_probs=np.stack([1 - p, p], axis=1),
            filter_by="prune_by_noise_rate",
            return_indices_ranked_by="self_confidence",
            n_jobs=1,
        )
        for place in suspects.tolist():
            has, sure = bool(gold[place]), float(p[place])
            found.append(LabelError(int(rows[place]), name, has, sure, sure if has else 1 - sure))
        given_wrong[name] = int(gold[suspects].sum())
        lacking_wrong[name] = len(suspects) - given_wrong[name]
    found.sort(key=lambda error: error.quality)
    return LabelErrors(found, given_wrong, lacking_wrong, tuple(untold))


def _cleanlab() -> Callable[..., npt.NDArray[np.int64]]:
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise ConfigError(
            "suspected label errors are found by cleanlab, which is not installed. Fix: pip install 'multitag[report]'"
        ) from error
    return cast("Callable[..., npt.NDArray[np.int64]]", find_label_issues)

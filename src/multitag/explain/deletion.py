"""The deletion test: does it cost more to take away what an explanation points at than to take away anything?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from multitag.explain.masks import Floats, drawn, highest
from multitag.explain.occlusion import variants
from multitag.explain.picture import CutPicture
from multitag.explain.scoring import Score, probability
from multitag.explain.text import CutText
from multitag.types import Sample


@dataclass(frozen=True)
class Deletion:
    """A label's probability before and after parts of a row were taken away, all at once.

    Attributes:
        parts: How many parts the picture or the text has.
        deleted: How many were taken away.
        before: The probability of the row as it is.
        top: The probability without the parts that are worth most.
        drawn: The probability without as many parts drawn at random, for each draw.
    """

    parts: int
    deleted: int
    before: float
    top: float
    drawn: tuple[float, ...]

    @property
    def random(self) -> float:
        """The mean over the draws."""
        return float(np.mean(self.drawn))

    @property
    def passed(self) -> bool:
        """Whether the parts that are worth most cost more than the mean draw."""
        return self.top < self.random

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "drawn": list(self.drawn), "random": self.random, "passed": self.passed}


def delete(
    score: Score,
    sample: Sample,
    cut: CutPicture | CutText,
    worth: Floats,
    whole: Floats,
    places: Sequence[int],
    *,
    share: float,
    rounds: int,
    rng: np.random.Generator,
) -> list[Deletion]:
    """The deletion test (Samek et al. 2017, arXiv 1509.06321) of each label; none where there is one part only.

    Args:
        score: The model.
        sample: The row.
        cut: Its picture or its text, cut into P parts.
        worth: (P, L), what each part is worth to each of L labels.
        whole: (K,), the log-odds of the row as it is.
        places: Of the L labels among the model's K.
        share: The share of the parts to take away, one part at least.
        rounds: How many draws.
        rng: Draws.

    Returns:
        A test for each label. The model's answer to a draw serves all labels.
    """
    parts = len(worth)
    if parts < 2:
        return []
    count = min(max(1, round(share * parts)), parts - 1)
    top = [highest(own, count) for own in worth.T]
    masks = np.array([*top, *drawn(parts, count, rounds, rng)])
    answers = probability(score(variants(sample, cut, masks), len(masks)))
    return [
        Deletion(
            parts,
            count,
            float(probability(whole[place])),
            float(answers[number, place]),
            tuple(answers[len(top) :, place].tolist()),
        )
        for number, place in enumerate(places)
    ]

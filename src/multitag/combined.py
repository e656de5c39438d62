"""The members of an ensemble as one source of logits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from multitag.combiners import Combiner
from multitag.features.rows import Rows
from multitag.lacking import lacks_only
from multitag.networks import Network, Networks
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent, within
from multitag.tasks.base import Logits
from multitag.types import Modality


@dataclass(frozen=True)
class Combined:
    """Fitted pipelines, each with its own calibration, and the combiner that joins them.

    The combiner reads the logits of calibrated probabilities: members whose losses differ, and with them the scale of
    their logits, are on one scale. Calibration ``"none"`` leaves them as they are.

    Attributes:
        members: The pipelines by name, in the combiner's order.
        combiner: Joins their logits; fitted.
        without: Combiners for rows that lack a picture, or a text, and have the other: what members say of such rows
            deserves other weights. Rows of which there is none here are joined by `combiner`.
    """

    members: Mapping[str, Pipeline]
    combiner: Combiner
    without: Mapping[Modality, Combiner] = field(default_factory=dict)

    def logits(self, rows: Rows, *, progress: Progress = silent) -> Logits:
        """The joined logits (N, K) of the rows, in their order."""
        each = [pipeline.logits(rows, progress=within(name, progress)) for name, pipeline in self.members.items()]
        return self.join(each, rows)

    def join(self, logits: Iterable[Logits], rows: Rows) -> Logits:
        """The joined logits (N, K) of what each member says of the rows, (N, K) and not yet calibrated."""
        known = calibrated(self.members.values(), logits)
        joined: Logits = self.combiner.apply(known).astype(np.float32)
        for modality, combiner in self.without.items():
            lacking = lacks_only(rows, modality)
            if lacking.any():
                joined[lacking] = combiner.apply(known[:, lacking])
        return joined

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of all members."""
        return tuple(network for pipeline in self.members.values() for network in networks_of(pipeline))


def calibrated(pipelines: Iterable[Pipeline], logits: Iterable[Logits]) -> Logits:
    """(M, N, K): each pipeline's logits (N, K), calibrated as it calibrates them."""
    return np.stack([pipeline.calibrated(own) for pipeline, own in zip(pipelines, logits, strict=True)])


def networks_of(pipeline: Pipeline) -> tuple[Network, ...]:
    """The networks behind a pipeline."""
    scorer = pipeline.scorer
    if isinstance(scorer, Networks):
        return scorer.each
    return scorer.networks if isinstance(scorer, Combined) else ()

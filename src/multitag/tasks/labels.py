"""Label sets: one logit for each row and label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.tasks.base import Logits, Targets
from multitag.types import LabelSpace, Sample


class LabelTask:
    """Which labels of a space hold for a row.

    Args:
        space: The labels.
    """

    def __init__(self, space: LabelSpace) -> None:
        self.space = space

    def targets(self, samples: Sequence[Sample]) -> Targets:
        """(N, K): 1 has the label, 0 has not, NaN not known."""
        return self.space.encode(samples)

    def examples(self, targets: Targets) -> Targets:
        """(N, K), as they are."""
        return targets

    def score(self, logits: Logits, targets: Targets, monitor: str, samples: Sequence[Sample] = ()) -> float:
        """A registered metric; ``"loss"``, binary cross-entropy, negated; or ``"calibrated_loss"``, what is left of it
        at the temperature that suits these rows best: a calibration is fitted afterwards, and smoothed labels or a long
        training spoil the raw loss while the ranking still improves.

        Metrics of label sets are taken at the global threshold that is best for them on these very rows: good enough
        to compare epochs, and the decision is fitted afterwards.
        """
        z = logits.astype(np.float64)
        if monitor == "loss":
            return -_cross_entropy(z, targets)
        if monitor == "calibrated_loss":
            if not np.isfinite(z).all():
                return float("nan")
            calibrated = CALIBRATIONS.build("temperature", {}).fit(logits, targets).apply(logits)
            safe = np.clip(calibrated, 1e-12, 1 - 1e-12)
            return -_cross_entropy(np.log(safe) - np.log1p(-safe), targets)
        probabilities = 1.0 / (1.0 + np.exp(-np.clip(z, -700, 700)))
        metric = METRICS.get(monitor)
        target = monitor if monitor in ("samples_f1", "micro_f1", "macro_f1") else "samples_f1"
        rule = DECISIONS.build("global_threshold", {"metric": target})
        predicted = rule.fit(probabilities, targets).apply(probabilities)
        value = float(metric(Answers(targets, predicted, probabilities)))
        return value if metric.greater_is_better else -value


def _cross_entropy(z: npt.NDArray[np.float64], targets: Targets) -> float:
    terms = np.logaddexp(0.0, z) - np.nan_to_num(targets) * z
    return float(terms[~np.isnan(targets)].mean())

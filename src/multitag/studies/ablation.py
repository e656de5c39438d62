"""What an ablation found: a mean and a spread for each configuration, tests between them, a ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from multitag.evaluation import plain
from multitag.metrics import METRICS
from multitag.studies.paired import compare, draw, holm
from multitag.studies.records import Record
from multitag.studies.variants import BASELINE, Design, Variant

Verdict = Literal["better", "worse", "noise"]
COSTS = ("training_seconds", "testing_seconds", "megabytes", "trained_megabytes")
LEVEL = 0.05
"""Differences whose corrected p is not below this are called noise."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Values of several seeds: their mean, standard deviation (n - 1; `None` of one), least and greatest."""

    mean: float
    deviation: float | None
    least: float
    greatest: float
    values: tuple[float, ...]

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        """The spread of one value at least."""
        deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return Spread(float(np.mean(values)), deviation, min(values), max(values), tuple(values))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "least": self.least,
            "greatest": self.greatest,
            "values": list(self.values),
        }


@dataclass(frozen=True)
class Result:
    """A configuration and its finished runs.

    Attributes:
        variant: The configuration.
        records: Its runs, by seed.
        failures: Why runs came to nothing, by seed.
    """

    variant: Variant
    records: tuple[Record, ...]
    failures: Mapping[int, str]

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.variant.name

    def spread(self, measure: str) -> Spread | None:
        """Of a metric or a cost over seeds; `None` where it has no value."""
        found = [record.costs.get(measure, record.scores.get(measure)) for record in self.records]
        values = [value for value in found if value is not None]
        return Spread.of(values) if values else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two configurations on the same rows and seeds: first minus second.

    Attributes:
        first: A configuration's name.
        second: Another's.
        value: The mean difference.
        low: The lower end of its 95 % interval.
        high: The upper end.
        p: Two-sided, for no difference.
        p_holm: Corrected for all comparisons of the study.
        verdict: Whether the first is better or worse than the second, or the difference is noise.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: Verdict

    def turned(self) -> Comparison:
        """The same, second minus first."""
        ends = {"value": -self.value, "low": -self.high, "high": -self.low}
        return replace(self, first=self.second, second=self.first, verdict=_opposite(self.verdict), **ends)


@dataclass(frozen=True, slots=True)
class Rank:
    """A place in the ranking: how a configuration compares with the reference."""

    place: int
    name: str
    mean: float
    verdict: Verdict | Literal["reference", "not tested"]


@dataclass(frozen=True)
class Ablation:
    """A finished ablation.

    Attributes:
        metric: What configurations are compared by.
        design: A grid, or one factor at a time.
        seeds: The seeds of its runs.
        scored_on: Which rows are scored.
        results: The configurations in the order asked for.
        comparisons: All pairs of a grid; every configuration with the baseline otherwise.
        reference: What the ranking compares with: the best of a grid, the baseline otherwise.
        ranking: The configurations, best first.
        notes: What a user should look at.
    """

    metric: str
    design: Design
    seeds: tuple[int, ...]
    scored_on: str
    results: tuple[Result, ...]
    comparisons: tuple[Comparison, ...]
    reference: str | None
    ranking: tuple[Rank, ...]
    notes: tuple[str, ...] = ()

    @property
    def measures(self) -> tuple[str, ...]:
        """All metrics and costs."""
        return (*METRICS.names(), *COSTS)

    @property
    def failures(self) -> list[str]:
        """A line for each run that came to nothing."""
        return [f"{r.name}, seed {seed}: {why}" for r in self.results for seed, why in r.failures.items()]

    def beside_reference(self, name: str) -> Comparison | None:
        """How a configuration compares with the reference, which is subtracted; `None` where it was not tested."""
        for each in self.comparisons:
            if (each.first, each.second) == (name, self.reference):
                return each
            if (each.second, each.first) == (name, self.reference):
                return each.turned()
        return None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "metric": self.metric,
            "design": self.design,
            "seeds": list(self.seeds),
            "scored_on": self.scored_on,
            "reference": self.reference,
            "ranking": [plain(_fields(rank)) for rank in self.ranking],
            "configurations": [
                {
                    "name": result.name,
                    "changes": list(result.variant.changes),
                    "spread": {m: s.to_dict() for m in self.measures if (s := result.spread(m)) is not None},
                    "runs": [record.to_dict() for record in result.records],
                    "failures": {str(seed): why for seed, why in result.failures.items()},
                }
                for result in self.results
            ],
            "comparisons": [plain(_fields(comparison)) for comparison in self.comparisons],
            "notes": list(self.notes),
        }


def judge(
    results: Sequence[Result], metric: str, design: Design, seeds: Sequence[int], *, rounds: int = 1000
) -> tuple[list[Comparison], str | None, list[Rank]]:
    """Comparisons, the reference, and the ranking.

    Only configurations all of whose runs are finished are tested: the others' seeds would be others.

    Args:
        results: Of each configuration.
        metric: What they are compared by.
        design: Decides which are compared.
        seeds: The study's.
        rounds: Of the bootstrap.
    """
    up = METRICS.get(metric).greater_is_better
    means = {r.name: s.mean for r in results if (s := r.spread(metric)) is not None}
    order = sorted(means, key=lambda name: means[name], reverse=up)
    whole = [result for result in results if len(result.records) == len(seeds) and result.name in means]
    ids = {record.ids for result in whole for record in result.records}
    drawn = {
        result.name: draw([r.answers for r in result.records], metric, same_rows=len(ids) == 1, rounds=rounds)
        for result in whole
    }
    tested = [name for name in order if name in drawn]
    if design == "one_at_a_time":
        reference = BASELINE if BASELINE in drawn else None
        pairs = [(result.name, BASELINE) for result in whole if result.name != BASELINE] if reference else []
    else:
        reference = tested[0] if tested else None
        pairs = [(first, second) for number, first in enumerate(tested) for second in tested[number + 1 :]]
    found = [compare(drawn[first], drawn[second]) for first, second in pairs]
    comparisons = [
        Comparison(first, second, each.value, each.low, each.high, each.p, p, _verdict(each.value, p, up=up))
        for (first, second), each, p in zip(pairs, found, holm([each.p for each in found]), strict=True)
    ]
    said = {each.first: each.verdict for each in comparisons if each.second == reference}
    said |= {each.second: _opposite(each.verdict) for each in comparisons if each.first == reference}
    ranking = [
        Rank(place, name, means[name], "reference" if name == reference else said.get(name, "not tested"))
        for place, name in enumerate(order, 1)
    ]
    return comparisons, reference, ranking


def _verdict(value: float, p: float, *, up: bool) -> Verdict:
    if not p < LEVEL:
        return "noise"
    return "better" if (value > 0) == up else "worse"


def _opposite(verdict: Verdict) -> Verdict:
    turned: dict[Verdict, Verdict] = {"better": "worse", "worse": "better", "noise": "noise"}
    return turned[verdict]


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}

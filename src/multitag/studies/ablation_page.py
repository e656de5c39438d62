"""An ablation as a page: the ranking, box plots of scores, times and sizes, all comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from multitag.report import Block, Column, Page, Section, Table, Text, charts
from multitag.studies.ablation import LEVEL, Ablation, Result
from multitag.studies.variants import BASELINE

_CHARTS = {
    "label_accuracy": "accuracy of labels",
    "subset_accuracy": "accuracy of whole label sets",
    "samples_f1": "samples F1",
    "micro_f1": "micro F1",
    "training_seconds": "training time, seconds",
    "testing_seconds": "testing time, seconds",
    "megabytes": "size, MB",
}


def ablation_page(ablation: Ablation, *, title: str = "Ablation") -> Page:
    """The page of a finished ablation.

    Args:
        ablation: What it found.
        title: The page's heading.
    """
    ranking, comparisons = _ranking(ablation), _comparisons(ablation)
    sections = [Section("Ranking", ranking, intro=_explained(ablation))]
    for name, results in _groups(ablation).items():
        measures = dict.fromkeys([ablation.metric, *_CHARTS])
        blocks: list[Block] = [
            charts.box_plot(
                _CHARTS.get(measure, measure),
                {_short(result, name): found.values for result in results if (found := result.spread(measure))},
                value=_CHARTS.get(measure, measure),
                of="configuration",
            )
            for measure in measures
        ]
        sections.append(Section(name or "Scores, times and sizes", [_means(ablation, results), *blocks]))
    if comparisons:
        sections.append(Section("Comparisons", comparisons))
    if ablation.failures:
        lines: list[Block] = [Text(line, "warning", name=f"failure {n}") for n, line in enumerate(ablation.failures, 1)]
        sections.append(Section("Runs that came to nothing", lines))
    runs = sum(len(result.records) for result in ablation.results)
    facts = [("seeds", ", ".join(map(str, ablation.seeds))), ("runs", str(runs)), ("scored", ablation.scored_on)]
    return Page(title, sections, f"{len(ablation.results)} configurations by {ablation.metric}", facts)


def _explained(ablation: Ablation) -> str:
    return (
        f"Each configuration was trained from {len(ablation.seeds)} seeds; all configurations of a seed have the same "
        f"rows. A difference is tested by a paired bootstrap over rows with the scatter of the seeds added, and "
        f"corrected for {len(ablation.comparisons)} comparisons (Holm). Where p is {LEVEL} or more, it is called "
        f"noise: chance alone explains it."
    )


def _ranking(ablation: Ablation) -> list[Block]:
    rows = []
    for rank in ablation.ranking:
        each = ablation.beside_reference(rank.name)
        beside = (None, None, None, None) if each is None else (each.value, each.low, each.high, each.p_holm)
        rows.append((rank.place, rank.name, rank.mean, *beside, rank.verdict))
    columns = (
        Column("place", "number", 0),
        Column("configuration"),
        Column(f"mean {ablation.metric}", "number", 4),
        Column("difference", "number", 4, help=f"From {ablation.reference}."),
        Column("low", "number", 4, help="The lower end of the 95 % interval."),
        Column("high", "number", 4, help="The upper end."),
        Column("p (Holm)", "number", 3),
        Column("verdict", choice=True),
    )
    return [Table(f"Beside {ablation.reference}", columns, rows)]


def _means(ablation: Ablation, results: Sequence[Result]) -> Table:
    measures = list(dict.fromkeys([ablation.metric, *_CHARTS]))
    rows = []
    for result in results:
        spreads = [result.spread(measure) for measure in measures]
        cells = [value for s in spreads for value in ((None, None) if s is None else (s.mean, s.deviation))]
        rows.append((result.name, len(result.records), *cells))
    pairs = [(_CHARTS.get(m, m), "number") for m in measures]
    columns = [Column("configuration"), Column("runs", "number", 0)]
    for name, _ in pairs:
        columns += [Column(name, "number", 4), Column(f"± {name}", "number", 4, help="Standard deviation over seeds.")]
    return Table("Mean and standard deviation", columns, rows)


def _comparisons(ablation: Ablation) -> list[Block]:
    if not ablation.comparisons:
        return []
    columns = (
        Column("first"),
        Column("second"),
        Column("difference", "number", 4, help="First minus second."),
        Column("low", "number", 4),
        Column("high", "number", 4),
        Column("p", "number", 4),
        Column("p (Holm)", "number", 4),
        Column("the first is", choice=True),
    )
    rows = [(c.first, c.second, c.value, c.low, c.high, c.p, c.p_holm, c.verdict) for c in ablation.comparisons]
    return [Table(f"All comparisons by {ablation.metric}", columns, rows)]


def _groups(ablation: Ablation) -> dict[str, list[Result]]:
    """Results that are shown together: a grid's all; of each factor its values, beside the baseline."""
    groups: dict[str, list[Result]] = {}
    baseline = [result for result in ablation.results if result.name == BASELINE]
    for result in ablation.results:
        if result not in baseline:
            groups.setdefault(result.variant.group, list(baseline)).append(result)
    return groups or {"": baseline}


def _short(result: Result, group: str) -> str:
    """A name without what its group says already."""
    for ahead in (f"{group}=", f"{group} / "):
        if group and result.name.startswith(ahead):
            return result.name.removeprefix(ahead)
    return result.name

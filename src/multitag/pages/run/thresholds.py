"""Thresholds to move: the page decides anew and scores, exactly as the command would."""

from __future__ import annotations

import shlex
from importlib.resources import files

from multitag.analysis.threshold_grid import ThresholdGrid, step_of
from multitag.metrics import METRICS
from multitag.pages.run.names import metric_title
from multitag.pages.run.seen import Seen, SeenRun
from multitag.report import Block, Interactive, Numbers, Section, Text, charts

HALF = 0.5
"""Where sliders start if the run's decision has no thresholds."""


def thresholds(seen: Seen) -> Section:
    """The sliders, and what each common threshold is worth."""
    analysis, run = seen.analysis, seen.runs[0]
    grid = analysis.grid
    swept = {name: (analysis.sweep.thresholds, values) for name, values in analysis.sweep.scores.items()}
    blocks: list[Block] = []
    if grid.of_rows > len(grid.levels):
        told = f"The sliders reckon with {len(grid.levels):,} of the {grid.of_rows:,} rows, to keep the page small."
        blocks.append(Text(told, "note"))
    start = run.thresholds or [HALF] * len(run.pipeline.space)
    blocks.append(
        Interactive(
            "Move the thresholds",
            {
                "grid": grid.payload(),
                "start": [step_of(threshold) for threshold in start],
                "metrics": [
                    {"name": name, "value": score.value, "greater": METRICS.get(name).greater_is_better}
                    for name, score in analysis.evaluation.metrics.items()
                ],
                "decision": decided(run),
                "command": _command(seen, grid),
            },
            _file("thresholds.js"),
            _file("thresholds.html"),
            Numbers(("label", "threshold"), list(zip(grid.names, start, strict=False))),
        )
    )
    chart = charts.lines(
        "One threshold for all labels",
        {metric_title(name): series for name, series in swept.items()},
        x="threshold",
        y="score",
        note="The never-empty rule as the run has it.",
        height=360,
    )
    return Section(
        "Thresholds",
        (*blocks, chart),
        "A threshold chosen on the very rows it is scored on flatters. Look here at what a threshold does; to choose "
        "one, let the decision be fitted on held-out rows, or look at rows that are not your test.",
    )


def decided(run: SeenRun) -> str:
    """The run's decision in a few words."""
    decision, values = run.pipeline.config.decision.name, run.thresholds
    if not values:
        return decision
    low, high = min(values), max(values)
    return f"{decision}, {low:.3f}" if low == high else f"{decision}, {low:.3f} to {high:.3f}"


def _command(seen: Seen, grid: ThresholdGrid) -> str:
    """What scores the same rows under another threshold; empty where the command would answer otherwise."""
    run = seen.runs[0]
    if not seen.table or run.answered.kept or grid.of_rows > len(grid.levels) or len(seen.runs) > 1:
        return ""
    return f"multitag evaluate {shlex.quote(str(run.folder))} {shlex.quote(seen.table)}"


def _file(name: str) -> str:
    return files("multitag.pages.run").joinpath(name).read_text("utf-8")

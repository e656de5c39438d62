"""How training went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from multitag.analysis.training_curves import TrainingCurve
from multitag.pages.run.seen import Seen
from multitag.report import Block, Choice, Section, charts

MOST_LINES = 24


def training(seen: Seen) -> Section | None:
    """How the runs' training went; `None` where none wrote anything down."""
    return history([(run.name, run.training) for run in seen.runs])


def history(runs: Sequence[tuple[str, list[TrainingCurve]]]) -> Section | None:
    """A chart for each thing measured after each epoch; `None` where no run wrote anything down.

    Args:
        runs: Each run's name and the curves of its networks.
    """
    lines: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    seconds = []
    for run, curves in runs:
        for curve in curves:
            name = ", ".join(part for part in (run if len(runs) > 1 else "", curve.name) if part) or run
            for measured, values in curve.series.items():
                there = [(float(e), v) for e, v in zip(curve.epochs, values, strict=True) if v is not None]
                if there:
                    lines.setdefault(measured, {})[name] = ([e for e, _ in there], [v for _, v in there])
        if curves:
            networks = "1 network" if len(curves) == 1 else f"{len(curves)} networks"
            seconds.append(f"{run}: {networks}, {sum(curve.seconds for curve in curves):.1f} s of epochs")
    if not lines:
        return None
    options: dict[str, tuple[Block, ...]] = {}
    for measured in sorted(lines, key=lambda name: name != "valid_loss"):
        drawn = dict(list(lines[measured].items())[:MOST_LINES])
        note = (
            "" if len(drawn) == len(lines[measured]) else f"The first {len(drawn)} of {len(lines[measured])} networks."
        )
        short = max(len(epochs) for epochs, _ in drawn.values()) < 12
        title = measured.replace("_", " ")
        marks: Literal["lines", "lines+markers"] = "lines+markers" if short else "lines"
        options[title] = (charts.lines(title, drawn, x="epoch", y=title, marks=marks, note=note, height=360),)
    return Section(
        "Training",
        (Choice("Measured after each epoch", options, "; ".join(seconds) + "."),),
        "Each network keeps the epoch that did best on the rows it did not train on.",
    )

"""Precision against recall, and probabilities against what happened: of all labels together, and of each."""

from __future__ import annotations

from multitag.analysis.curves import PrecisionRecall
from multitag.analysis.reliability import Reliability
from multitag.pages.run.seen import Seen
from multitag.report import Beside, Block, Chart, Choice, Section, Text, charts

MOST_LABELS = 100
"""The most labels with curves of their own, those of most rows."""
TOGETHER = "all labels"


def curves(seen: Seen) -> Section:
    """A pair of charts for each label."""
    pairs = list(zip(seen.analysis.curves, seen.analysis.reliability, strict=True))
    most = sorted(pairs[1:], key=lambda pair: -pair[0].support)[:MOST_LABELS]
    kept = {pair[0].label for pair in most}
    options: dict[str, tuple[Block, ...]] = {}
    for curve, trust in pairs:
        if curve.label and curve.label not in kept:
            continue
        name = curve.label or TOGETHER
        while name in options:
            name += " (label)"
        options[name] = (_pair(curve, trust),)
    note = "" if len(kept) == len(pairs) - 1 else f"Of {len(pairs) - 1} labels, the {len(kept)} with most rows."
    return Section(
        "Curves and calibration",
        (Choice("Label", options, note),),
        "On the left, what each threshold buys: point at the curve to read it. On the right, whether a probability "
        "means what it says: of the decisions said to be right with 70 %, 70 % should be. Points below the diagonal "
        "are too sure.",
    )


def _pair(curve: PrecisionRecall, trust: Reliability) -> Block:
    if not curve.support:
        return Text("No row has this label: there is no curve.", "note")
    return Beside((_precision_recall(curve), _reliability(trust)))


def _precision_recall(curve: PrecisionRecall) -> Chart:
    chart = charts.lines(
        "Precision and recall",
        {"precision": (curve.recall, curve.precision)},
        x="recall",
        y="precision",
        layout={"xaxis": {"title": {"text": "recall"}, "range": [0, 1.02]}, "yaxis": _share("precision")},
        note=f"Average precision {curve.average_precision:.3f}; {curve.support:,} positives.",
    )
    trace = {
        **chart.traces[0],
        "customdata": list(curve.thresholds),
        "hovertemplate": "threshold %{customdata:.3f}<br>precision %{y:.3f}, recall %{x:.3f}<extra></extra>",
    }
    rows = list(zip(curve.thresholds, curve.precision, curve.recall, strict=True))
    numbers = type(chart.numbers)(("threshold", "precision", "recall"), rows)
    return Chart(chart.name, [trace], chart.layout, numbers, chart.note, chart.height)


def _reliability(trust: Reliability) -> Chart:
    largest = max(trust.counts)
    chart = charts.lines(
        "Calibration",
        {"perfect": ((0.0, 1.0), (0.0, 1.0)), "found": (trust.said, trust.found)},
        x="probability said",
        y="share found",
        layout={
            "xaxis": {"title": {"text": "mean probability said"}, "range": [0, 1]},
            "yaxis": _share("share that is right"),
            "showlegend": False,
        },
        note=f"Mean gap {trust.ece:.3f}. A larger point holds more decisions.",
    )
    perfect = {**chart.traces[0], "line": {"width": 1, "dash": "dot"}, "hoverinfo": "skip"}
    found = {
        **chart.traces[1],
        "mode": "lines+markers",
        "customdata": list(trust.counts),
        "marker": {"size": [6 + 12 * (count / largest) ** 0.5 for count in trust.counts], "sizemode": "diameter"},
        "hovertemplate": "said %{x:.3f}, found %{y:.3f}<br>%{customdata:,d} decisions<extra></extra>",
    }
    rows = list(zip(trust.said, trust.found, trust.counts, strict=True))
    numbers = type(chart.numbers)(("mean probability said", "share found", "decisions"), rows)
    return Chart(chart.name, [perfect, found], chart.layout, numbers, chart.note, chart.height)


def _share(title: str) -> dict[str, object]:
    return {"title": {"text": title}, "range": [0, 1.03]}

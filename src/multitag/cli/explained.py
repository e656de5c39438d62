"""Explanations in a terminal: the picture as a grid of numbers and colours, the text with its words coloured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text

from multitag.cli import output
from multitag.cli.cells import lines_of

if TYPE_CHECKING:
    from multitag.explain import Deletion, Explanation, LabelExplanation

_WORDS = 8
"""Words in the table: those that matter most."""
_WIDE = 90
_SIDES = {"image": ("cells", "picture"), "text": ("words", "text")}


def print_explanation(explanation: Explanation) -> None:
    """Each label of a row: its probability, what the parts are worth to it, and the check."""
    for label in explanation.labels:
        what = "predicted" if label.predicted else "not predicted"
        lines = [Text(f"{explanation.id}: {label.label}, {label.probability:.3f}, {what}", style="bold"), Text()]
        if explanation.picture is not None:
            lines += [*_grid(label, explanation.picture.side), Text()]
        if explanation.text is not None:
            lines += [*_text(label, explanation), Text()]
        out = output.console()
        for line in lines:
            out.print(line, soft_wrap=True)
        _print_words(label, explanation)
        for side in label.sides:
            for said in _checked(label, side):
                output.say(said)
        output.say("")
    output.say(
        "A part is worth what a label's log-odds lose without it. Red, positive: it speaks for the label; blue, "
        "negative: against it."
    )


def print_check(table: str, found: Mapping[str, Any]) -> None:
    """The check over many rows."""
    output.print_table(
        f"{table}, {found['rows']} rows: a label's mean probability, with all parts, without those worth most, without "
        "random ones",
        ["parts of", "labels", "all", "- most", "- random", "gain", "95 % interval", "won"],
        [
            [
                f"the {name}",
                side["pairs"],
                f"{side['before']:.3f}",
                f"{side['top']:.3f}",
                f"{side['random']:.3f}",
                f"{side['difference']:.3f}",
                f"{side['low']:.3f} - {side['high']:.3f}",
                f"{100 * side['passed']:.0f} %",
            ]
            for key, (_, name) in _SIDES.items()
            if (side := found.get(key)) is not None
        ],
    )


def _style(level: float) -> str:
    """Red for a level above 0, blue below, the stronger the further from it; black or white letters, as can be read."""
    fade = round(235 * (1 - min(abs(level), 1.0)))
    colour = f"rgb(235,{fade},{fade})" if level > 0 else f"rgb({fade},{fade},235)"
    return f"{'black' if fade > 110 else 'white'} on {colour}"


def _grid(label: LabelExplanation, side: int) -> list[Text]:
    worth = label.sides["image"].worth
    most = abs(worth).max() or 1.0
    lines = [Text(f" picture: what a cell is worth, in tenths of the most ({most:.2f})")]
    for row in worth.reshape(side, side) / most:
        line = Text(" ")
        for level in row:
            tenths = round(10 * float(level))
            line.append(f"{tenths or '.':>4}", _style(float(level)) if tenths else None)
        lines.append(line)
    return lines


def _text(label: LabelExplanation, explanation: Explanation) -> list[Text]:
    cut = explanation.text
    if cut is None:
        return []
    worth = label.sides["text"].worth
    most = abs(worth).max() if len(worth) else 0.0
    level = {
        place: float(worth[part]) / (most or 1.0)
        for part, (start, stop) in enumerate(cut.parts)
        for place in range(start, stop)
    }
    lines = []
    for cells in lines_of(cut.text, _WIDE, output.console().encoding):
        line = Text(" ")
        for cell in cells:
            own = level.get(cell.start, 0.0)
            line.append(cell.shown, _style(own) if abs(own) >= 0.1 else None)
        lines.append(line)
    return lines


def _print_words(label: LabelExplanation, explanation: Explanation) -> None:
    if explanation.text is None:
        return
    worth = label.sides["text"].worth
    order = sorted(range(len(worth)), key=lambda part: -abs(worth[part]))[:_WORDS]
    rows = [[explanation.text.word(part), f"{worth[part]:+.2f}"] for part in order]
    output.print_table(" words that matter most", ["word", "worth"], rows)


def _checked(label: LabelExplanation, side: str) -> list[str]:
    parts, name = _SIDES[side]
    own = label.sides[side]  # type: ignore[index]
    lines = [] if own.deletion is None else [_deletion(own.deletion, parts)]
    return [*lines, f" without the {name} at all: {label.probability:.3f} -> {own.without:.3f}"]


def _deletion(test: Deletion, parts: str) -> str:
    verdict = "" if test.passed else "; NOT more than chance: do not read much into this"
    return (
        f" without the {test.deleted} of {test.parts} {parts} worth most: {test.before:.3f} -> {test.top:.3f}; without "
        f"{test.deleted} random ones: {test.random:.3f} (mean of {len(test.drawn)} draws){verdict}"
    )

"""An explanation as a page: the picture under its heat map, the text with its words coloured, and the check."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from multitag.explain.deletion import Deletion
from multitag.explain.explanation import Explanation, LabelExplanation
from multitag.explain.masks import Floats
from multitag.explain.picture import CutPicture
from multitag.explain.text import CutText
from multitag.report import (
    Column,
    Gallery,
    Interactive,
    Numbers,
    Page,
    Picture,
    Section,
    Table,
    Text,
    Thumbnail,
    Tile,
    Tiles,
    Written,
    write_page,
)
from multitag.report.blocks import Block

_SIDE = 512
_STRONGEST = 0.7
_FOR, _AGAINST = (214, 39, 40), (31, 119, 180)
_WORDS = """
const line = tools.element("p", {});
for (const piece of payload) {
  const span = tools.element("span", {}, piece.text);
  if (piece.level) {
    const colour = piece.level > 0 ? "214,39,40" : "31,119,180";
    span.style.backgroundColor = `rgba(${colour},${Math.abs(piece.level)})`;
    span.title = `worth ${tools.number(piece.worth, 2)}`;
  }
  line.append(span);
}
line.style.whiteSpace = "pre-wrap";
line.style.lineHeight = "1.9";
root.append(line);
"""


def write_html(explanation: Explanation, path: Path, *, run: str = "") -> Written:
    """Write an explanation as one HTML file, its numbers as JSON and CSV beside it.

    Args:
        explanation: What to show.
        path: The HTML file.
        run: The run that it is of, for the heading.

    Raises:
        ConfigError: The name is not that of an HTML file.
    """
    return write_page(page_of(explanation, run), path)


def page_of(explanation: Explanation, run: str = "") -> Page:
    """An explanation as a page, a section for each label."""
    intro = (
        "A part is worth what the label's log-odds lose where it is covered or left out: red speaks for the label, "
        "blue against it. The check takes away the parts that are worth most, and as many drawn at random."
    )
    sections = [
        Section(label.label, _blocks(label, explanation), intro=intro if place == 0 else "")
        for place, label in enumerate(explanation.labels)
    ]
    facts = (("run", run), ("method", explanation.method)) if run else (("method", explanation.method),)
    return Page(title=f"Why {explanation.id}", sections=sections, subtitle="What made each label", facts=facts)


def _blocks(label: LabelExplanation, explanation: Explanation) -> list[Block]:
    names = {"image": "without the picture", "text": "without the text"}
    tiles = [Tile("probability", label.probability, note="predicted" if label.predicted else "not predicted")]
    tiles += [Tile(names[modality], side.without) for modality, side in label.sides.items()]
    blocks: list[Block] = [Tiles("Probabilities", tiles)]
    if explanation.picture is not None:
        blocks.append(_gallery(explanation.picture, label.sides["image"].worth, explanation.id))
    if explanation.text is not None:
        blocks += _words(explanation.text, label.sides["text"].worth)
    tests: dict[str, Deletion] = {
        modality: side.deletion for modality, side in label.sides.items() if side.deletion is not None
    }
    if tests:
        blocks.append(_check(tests))
        if not all(test.passed for test in tests.values()):
            blocks.append(
                Text("Where the parts worth most cost no more than chance, do not read much into this.", "warning")
            )
    return blocks


def _gallery(cut: CutPicture, worth: Floats, name: str) -> Gallery:
    heat = Picture(_thumbnail(heat_map(cut, worth), name), caption="what each cell is worth")
    plain = Picture(_thumbnail(cut.pixels, name), caption="the picture")
    return Gallery("Picture", (plain, heat), note=f"The strongest cell is worth {abs(worth).max():.2f}.")


def heat_map(cut: CutPicture, worth: Floats) -> np.ndarray:
    """The picture (H, W, 3) with each cell tinted by what it is worth, red above 0 and blue below."""
    tinted = cut.pixels.astype(np.float64)
    most = abs(worth).max() or 1.0
    for cell, level in enumerate(worth / most):
        left, top, right, bottom = cut.box(cell)
        alpha = _STRONGEST * abs(level)
        colour = np.array(_FOR if level > 0 else _AGAINST)
        tinted[top:bottom, left:right] = (1 - alpha) * tinted[top:bottom, left:right] + alpha * colour
    return np.rint(tinted).astype(np.uint8)


def _thumbnail(pixels: np.ndarray, name: str) -> Thumbnail:
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    file = BytesIO()
    image.save(file, "WEBP", quality=80)
    return Thumbnail(file.getvalue(), *image.size, name=name)


def _words(cut: CutText, worth: Floats) -> list[Block]:
    most = float(abs(worth).max()) or 1.0
    pieces, at = [], 0
    for part, (start, stop) in enumerate(cut.parts):
        pieces.append({"text": cut.text[at:start], "level": 0.0, "worth": 0.0})
        value = float(worth[part])
        pieces.append({"text": cut.text[start:stop], "level": _STRONGEST * value / most, "worth": value})
        at = stop
    pieces.append({"text": cut.text[at:], "level": 0.0, "worth": 0.0})
    rows = [(cut.word(part), float(worth[part])) for part in np.argsort(-abs(worth), kind="stable")]
    return [
        Interactive("Text", pieces, _WORDS, numbers=Numbers(("word", "worth"), rows)),
        Table("Words", (Column("word"), Column("worth", kind="number", digits=2)), rows, shown=8),
    ]


def _check(tests: dict[str, Deletion]) -> Table:
    columns = (
        Column("what was taken away"),
        Column("before", kind="number"),
        Column("without the parts worth most", kind="number"),
        Column("without random ones", kind="number"),
    )
    parts = {"image": "cells", "text": "words"}
    rows = [
        (f"{test.deleted} of {test.parts} {parts[modality]}", test.before, test.top, test.random)
        for modality, test in tests.items()
    ]
    return Table("Check", columns, rows, note="The label's probability; of random parts, the mean over all draws.")

"""Tables."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.speed.measure import Figure, compare, within
from multitag.data.csv import CsvFile


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines."""
    rows = 20_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        quoted, broken = Path(folder, "quoted.csv"), Path(folder, "broken.csv")
        _write(quoted, rows, broken=False)
        _write(broken, rows // 5, broken=True)
        return [
            compare(
                f"a quoted CSV of {rows:,} rows",
                lambda: _read(quoted),
                lambda: pl.read_csv(quoted),
                beside_name="polars",
                at_least=0.5,
                runs=runs,
            ),
            within(
                f"the course's form, unescaped quotes and line breaks in captions, {rows // 5:,} rows",
                lambda: _read(broken),
                seconds=rows / 5 / 200_000,
                runs=runs,
                note="the goal is 200,000 rows a second",
            ),
        ]


def _read(path: Path) -> int:
    return sum(len(chunk) for chunk in CsvFile.open(path).chunks())


WORDS = [
    "a",
    "the",
    "dog",
    "cat",
    "bus",
    "man",
    "rides",
    "stands",
    "on",
    "near",
    "red",
    "old",
    "street",
    "table",
    "with",
]


def _write(path: Path, rows: int, *, broken: bool) -> None:
    """Made-up captions in quotes; broken: with quotes within them, not doubled, and line breaks."""
    chosen = np.array(WORDS)[np.random.default_rng(0).integers(0, len(WORDS), (rows, 10))]
    labels = ["1", "8 3 13", "2 19", "1 5"]
    lines = ["ImageID,Labels,Caption"]
    for row, words in enumerate(chosen):
        caption = " ".join(words)
        if broken and row % 300 == 0:
            caption = f'the word "{words[0]}" {caption}'
        if broken and row % 1000 == 1:
            caption += "\nand more"
        lines.append(f'{row}.jpg,{labels[row % 4]},"{caption}"')
    path.write_text("\n".join(lines) + "\n", "utf-8")

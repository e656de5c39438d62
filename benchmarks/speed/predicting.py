"""One row labelled: in a process that is warm, and by a command from cold."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed.encoding import CPU, captions, photographs, samples_of
from benchmarks.speed.measure import Figure, compare, within
from multitag import Classifier, Config
from multitag.features.fill import ONNX
from multitag.features.slots import build_slots
from multitag.types import Sample

AT_LEAST = 1 / 1.3


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines: the default model, a photograph and a caption that it has not seen."""
    count = 4 if quick else 40
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["MULTITAG_STORE"] = str(folder / "store")
        few = [*samples_of()[:60]]
        settings = ["train.folds=0", "train.epochs=1", "train.min_steps=0"]
        model = Classifier(Config().changed(settings)).fit(few, out=folder / "run")
        rows = _rows(count * (runs + 1), folder)
        slots = build_slots(Config())

        def ours() -> None:
            for _ in range(count):
                model.predict([next(rows)])

        def bare() -> None:
            for row in again[:count]:
                for slot, item in ((slots["image"], row), (slots["text"], row)):
                    slot.run(
                        slot.encoder.prepare(slot.items([item])), folder / "store" / ONNX, tokens=False, device=CPU
                    )

        again = [next(rows) for _ in range(count)]
        rows = _rows(count * (runs + 2), folder, start=10_000)
        return [
            compare(
                f"a warm prediction, {count} rows one by one",
                ours,
                bare,
                beside_name="reading, resizing and the bare encoders, same runtime",
                at_least=AT_LEAST,
                runs=runs,
                note="1.3 times their time at most; ours stores what it encoded",
            ),
            *_cold(folder, runs),
        ]


def _rows(count: int, folder: Path, start: int = 0) -> Iterator[Sample]:
    """Rows that differ, pictures and texts."""
    drawings = samples_of()
    shown = [drawings[(start + row) % len(drawings)] for row in range(count)]
    pictures = photographs(shown, folder / f"rows{start}", seed=start)
    texts = captions(drawings, count, seed=start + 1)
    return iter(
        [Sample(id=str(n), image=p.image, text=t.text) for n, (p, t) in enumerate(zip(pictures, texts, strict=True))]
    )


def _cold(folder: Path, runs: int) -> list[Figure]:
    row = next(_rows(1, folder, start=50_000))
    table = folder / "one.csv"
    table.write_text(f'image,text\n{row.image},"{row.text}"\n')
    command = [sys.executable, "-m", "multitag", "predict", str(folder / "run"), str(table)]

    def run(*arguments: str) -> None:
        subprocess.run(arguments, check=True, capture_output=True)

    def predict() -> None:
        run(*command, "--out", str(folder / "answers.csv"))

    imports = "import torch, onnxruntime, transformers.models.bert.modeling_bert, polars"
    return [
        within("multitag predict of one row, cold", predict, seconds=6.0, runs=runs),
        *(
            within(
                f"of it: importing {what}", lambda code=code: run(sys.executable, "-c", code), seconds=6.0, runs=runs
            )
            for what, code in (
                ("torch, onnxruntime, transformers' BERT and polars", imports),
                ("torch alone", "import torch"),
            )
        ),
    ]

"""`multitag demo`: the main job on the bundled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multitag.cli import options, output

EXAMPLES = 8


def demo(
    out: Annotated[Path, typer.Option(help="The run folder to write; an older demo there is replaced.")] = Path(
        "runs/demo"
    ),
    quiet: options.Quiet = False,
) -> None:
    """Train on bundled clip art and show what came out.

    Public-domain pictures and titles come with the package. The commands are those you would type yourself.
    """
    from multitag.classifier import Classifier
    from multitag.cli import scores
    from multitag.data.bundled import bundled_path

    data = bundled_path("openclipart")
    images, test = data / "images", data / "test.csv"
    output.say(
        "1,258 clip-art pictures with titles and descriptions, 31 keywords (Open Clip Art Library, public domain)."
    )
    output.say(
        f"$ multitag train {data / 'train.csv'} --valid {data / 'valid.csv'} --images {images} --out {out} --overwrite"
    )
    bars = output.progress(quiet=quiet)
    classifier = Classifier()
    classifier.fit(data / "train.csv", data / "valid.csv", images=images, out=out, overwrite=True, progress=bars)
    output.say(f"$ multitag evaluate {out} {test} --images {images}")
    evaluation = classifier.evaluate(test, images=images, progress=bars)
    scores.print_labels(evaluation)
    scores.print_metrics(f"{evaluation.rows} rows that training never saw", evaluation)
    samples = classifier.read(test, images).samples
    samples = samples[:: max(1, len(samples) // EXAMPLES)][:EXAMPLES]
    predictions = classifier.predict(samples)
    output.print_table(
        "some of them",
        ["picture", "text", "labels", "predicted"],
        [
            [sample.id, (sample.text or "-")[:60], " ".join(sample.labels or ()), " ".join(labels) or "(none)"]
            for sample, labels in zip(samples, predictions.labels, strict=True)
        ],
        left=4,
    )
    output.say(f"saved in {out}; next:\n")
    output.print_commands(
        {
            "look at your own table": "multitag check train.csv --images images/",
            "train on it": "multitag train train.csv --images images/ --out runs/first",
            "score it": "multitag evaluate runs/first test.csv --images images/",
            "label new rows": "multitag predict runs/first new.csv --images images/ --out predictions.csv",
        }
    )

"""Fill the outputs in the docs by running the commands on the bundled data: python scripts/outputs.py

A block to fill is a ```text block after a comment with the command, in which ``| head -20`` and ``| tail -20`` work:

    <!-- output of: multitag check train.csv --images images/ | head -20 -->

Commands run once each, page by page, in a folder with the bundled data as train.csv, test.csv, new.csv and images/.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import polars as pl
from describe import DOCS

from multitag.data.bundled import bundled_path

BLOCK = re.compile(r"(<!-- output of: (?P<command>.+?) -->\n+```text\n)(?P<output>.*?)(```)", re.DOTALL)
PAGES = ("quickstart.md", "commands/check.md", "commands/train.md", "commands/evaluate.md", "commands/predict.md")
PAGES += ("commands/encode.md", "commands/explain.md", "commands/list.md", "commands/demo.md")


def lay_out(folder: Path) -> None:
    """The bundled data under the names that the docs use."""
    data = bundled_path("openclipart")
    (folder / "images").symlink_to(data / "images")
    for name in ("train.csv", "test.csv"):
        (folder / name).write_bytes((data / name).read_bytes())
    pl.read_csv(data / "test.csv").select("image", "caption").head(40).write_csv(folder / "new.csv")


def main() -> None:
    outputs: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder)

        def output(match: re.Match[str]) -> str:
            command, _, cut = match["command"].partition(" | ")
            if command not in outputs:
                print("$", command)
                done = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=False)
                outputs[command] = done.stdout or done.stderr
            lines = outputs[command].strip("\n").split("\n")
            if cut:
                kind, count = cut.split(" -")
                lines = [*lines[: int(count)], "..."] if kind == "head" else ["...", *lines[-int(count) :]]
            return match[1] + "\n".join(lines) + "\n" + match[4]

        for page in PAGES:
            path = DOCS / page
            path.write_text(BLOCK.sub(output, path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()

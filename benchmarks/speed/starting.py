"""Start-up, each time in a process of its own."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.speed.measure import Figure, within


def figures(*, quick: bool, runs: int) -> list[Figure]:
    """The part's lines."""

    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    bare = within("an empty Python", lambda: run("-c", ""), seconds=0.2, runs=runs, note="the limit")
    return [
        bare,
        within("multitag --help", lambda: run("-m", "multitag", "--help"), seconds=0.3, runs=runs),
        within("import multitag", lambda: run("-c", "import multitag"), seconds=0.2, runs=runs),
    ]

"""How long the page of `multitag check --report` takes to make and to open, on made-up rows.

python benchmarks/data_page.py [ROWS]   (30,000 by default; needs Chromium)
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from multitag.cli import main


def make(folder: Path, rows: int) -> Path:
    """Coloured clouds with captions and 18 labels; every tenth picture a small copy, some captions repeated."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(3, 9))) for _ in range(3000)]
    table = folder / "made.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "caption", "labels"])
        for n in range(rows):
            copy = n % 10 == 9
            cells = np.random.default_rng(n - 5 if copy else n).integers(0, 255, (6, 8, 3), np.uint8)
            size = (160, 120) if copy else (200, 150)
            Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC).save(folder / f"{n}.jpg", quality=70)
            caption = " ".join(words[int(place)] for place in rng.random(rng.integers(5, 15)) ** 3 * len(words))
            labels = sorted({int(place) for place in rng.random(rng.integers(1, 4)) ** 2 * 18})
            repeated = f"the same caption {n % 400}"
            writer.writerow([f"{n}.jpg", caption if n % 20 else repeated, " ".join(f"label{k}" for k in labels)])
    return table


def open_in_browser(page: Path) -> tuple[float, float]:
    """Seconds until the page is ready, and seconds of the main thread that it took."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1300, "height": 900})
        opened.set_default_timeout(300_000)
        session = opened.context.new_cdp_session(opened)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        start = time.perf_counter()
        opened.goto(page.as_uri())
        opened.wait_for_selector("html[data-ready]", state="attached")
        seconds = time.perf_counter() - start
        metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
        browser.close()
    return seconds, metrics["TaskDuration"]


def run(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = make(folder, rows)
        page = folder / "data.html"
        for options in ([], ["--report", str(page)]):
            start = time.perf_counter()
            main.run(["check", str(table), *options, "--json", "--quiet"])
            sys.stderr.write(f"check {' '.join(options[:1])}: {time.perf_counter() - start:.1f} s\n")
        seconds, busy = open_in_browser(page)
        sys.stderr.write(f"{page.stat().st_size / 1e6:.1f} MB, open after {seconds:.2f} s, main thread {busy:.2f} s\n")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)

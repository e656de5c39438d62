"""How long the pages of `check --report` and `report RUN` take to make and to open, on made-up rows.

python benchmarks/pages.py [ROWS]   (30,000 by default; needs Chromium)
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


def measured(name: str, command: list[str], page: Path) -> None:
    """Run the command that writes the page, and open it."""
    start = time.perf_counter()
    if code := main.run([*command, "--quiet"]):
        raise SystemExit(f"{code}: multitag {' '.join(command)}")
    made = time.perf_counter() - start
    ready, busy = open_in_browser(page)
    print(
        f"{name}: made in {made:.1f} s, {page.stat().st_size / 1e6:.1f} MB; ready in {ready:.2f} s, "
        f"{busy:.2f} s of it the browser's own work"
    )


def run(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = str(make(folder, rows))
        page = folder / "data.html"
        measured(f"check, {rows:,} rows", ["check", table, "--report", str(page)], page)
        trained = ["train", table, "--recipe", "tfidf-linear", "--out", str(folder / "run")]
        if code := main.run([*trained, "--set", "train.epochs=2", "--set", "train.min_steps=0", "--quiet"]):
            raise SystemExit(code)
        page = folder / "run.html"
        measured(f"report, {rows:,} rows", ["report", str(folder / "run"), table, "--out", str(page)], page)


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)

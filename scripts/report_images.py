"""The screenshots in the docs, all of the bundled data: python scripts/report_images.py (needs Chromium)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outputs import lay_out
from PIL import Image
from playwright.sync_api import sync_playwright

from multitag.cli import main

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
DATA = ROOT / "src/multitag/bundled/openclipart"
PATIENCE = 300_000


@dataclass(frozen=True)
class Shot:
    """A picture of a page's section: as it opens, or after a slider was moved."""

    name: str
    page: str
    section: str
    scheme: str = "light"
    threshold: int | None = None


SHOTS = [
    Shot("data-labels", "data", "Labels"),
    Shot("data-examples", "data", "Examples"),
    Shot("data-copies", "data", "Copies", "dark"),
    Shot("run-scores", "run", "Scores"),
    Shot("run-thresholds", "run", "Thresholds", threshold=300),
    Shot("run-rows", "run", "Rows to look at"),
    Shot("run-suspects", "run", "Suspected label errors", "dark"),
    Shot("explain", "explain", "animal"),
    Shot("study", "study", "fusion.name"),
]
STUDY = "--vary fusion.name=concat,mixed,gated --one-at-a-time --seeds 3 --set train.folds=0 --set train.min_steps=200"
ROW = "0002_armadillo_architetto_fra_01.jpg"


def pages(folder: Path) -> dict[str, Path]:
    """The pages, made by the commands."""
    lay_out(folder)
    made = {name: folder / f"{name}.html" for name in ("data", "run", "explain", "study")}
    images, run = f"--images {folder / 'images'} --quiet", folder / "first"
    others = " ".join(f"--test {DATA / name}.csv" for name in ("valid", "test"))
    for command in (
        f"check {DATA / 'train.csv'} {others} {images} --report {made['data']}",
        f"train {folder / 'train.csv'} {images} --out {run}",
        f"report {run} {folder / 'test.csv'} {images} --out {made['run']}",
        f"explain {run} {folder / 'test.csv'} {images} --row {ROW} --out {made['explain']}",
        f"ablate {folder / 'train.csv'} --test {folder / 'test.csv'} {images} {STUDY} --out {folder / 'study'} "
        f"--report {made['study']}",
    ):
        if code := main.run(command.split()):
            raise SystemExit(f"{code}: multitag {command}")
    return made


def shoot(browser: Any, page: Path, shots: Iterable[Shot]) -> None:
    for shot in shots:
        opened = browser.new_page(viewport={"width": 1240, "height": 900}, color_scheme=shot.scheme)
        opened.set_default_timeout(PATIENCE)
        opened.goto(page.as_uri())
        opened.wait_for_selector("html[data-ready]", state="attached")
        section = opened.locator("section").filter(has=opened.locator("h2", has_text=shot.section)).first
        section.evaluate("section => section.scrollIntoView({behavior: 'instant'})")
        opened.wait_for_timeout(2000)
        if shot.threshold is not None:
            slider = opened.locator(".thresholds [data-common]")
            slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", shot.threshold)
        section.evaluate("section => section.scrollIntoView({behavior: 'instant'})")
        opened.wait_for_timeout(1500)
        file = IMAGES / f"{shot.name}.png"
        opened.screenshot(path=file)
        # A palette is enough for a page, and keeps the file small.
        Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)
        opened.close()


def run() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        made = pages(Path(folder))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=PATIENCE
        )
        for name, page in made.items():
            shoot(browser, page, [shot for shot in SHOTS if shot.page == name])
        browser.close()


if __name__ == "__main__":
    run()

"""The screenshots in docs/reports.md, of the bundled data: python scripts/report_images.py (needs Chromium)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from multitag.cli import main

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
DATA = ROOT / "src/multitag/bundled/openclipart"
PATIENCE = 300_000
SHOTS = [
    ("data-labels", "section:has(> h2:text-is('Labels'))", "light"),
    ("data-examples", "section:has(> h2:text-is('Examples'))", "light"),
    ("data-copies", "section:has(> h2:text-is('Copies'))", "dark"),
]


def shoot(page: Path, browser: object) -> None:
    for scheme in ("light", "dark"):
        opened = browser.new_page(viewport={"width": 1240, "height": 900}, color_scheme=scheme)
        opened.set_default_timeout(PATIENCE)
        opened.goto(page.as_uri())
        opened.wait_for_selector("html[data-ready]", state="attached")
        for name, selector, wanted in SHOTS:
            if wanted != scheme:
                continue
            opened.locator(selector).evaluate("section => section.scrollIntoView({behavior: 'instant'})")
            opened.wait_for_timeout(4000)
            file = IMAGES / f"{name}.png"
            opened.screenshot(path=file)
            # A palette is enough for a page, and keeps the file small.
            Image.open(file).convert("RGB").quantize(128).save(file, optimize=True)
        opened.close()


def run() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "data.html"
        others = [part for name in ("valid", "test") for part in ("--test", str(DATA / f"{name}.csv"))]
        images = ["--images", str(DATA / "images")]
        main.run(["check", str(DATA / "train.csv"), *images, *others, "--report", str(page), "--quiet"])
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=PATIENCE
        )
        shoot(page, browser)
        browser.close()


if __name__ == "__main__":
    run()

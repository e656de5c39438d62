"""What `multitag check --report` does beside printing: reads the other tables and writes the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from multitag.cli import output
from multitag.errors import ConfigError

if TYPE_CHECKING:
    from multitag.data.image_check import ImageReport
    from multitag.data.layout import Table
    from multitag.types import Sample


def require_report_for(report: Path | None, others: Sequence[Path]) -> None:
    """Check the options of the page before any work is done.

    Raises:
        ConfigError: Other tables were given without a page that compares them, or the page is no HTML file.
    """
    if others and report is None:
        raise ConfigError("--test compares tables on the page that --report writes. Fix: add --report data.html")
    if report is not None:
        from multitag.report.write import paths_of

        paths_of(report)


def look_at(samples: Sequence[Sample], *, name: str = "", quiet: bool, fingerprints: bool) -> ImageReport:
    """The look at all pictures, with a progress bar."""
    from multitag.data.image_check import check_images

    pictures = len({sample.image for sample in samples if sample.image is not None})
    with output.progress(quiet=quiet)(f"checking pictures{name and f' of {name}'}", pictures) as advance:
        return check_images(samples, progress=lambda done, total: advance(1), fingerprints=fingerprints)


def write(
    report: Path,
    first: tuple[Table, ImageReport],
    others: Sequence[Path],
    read: Callable[[Path], Table],
    *,
    quiet: bool,
    silent: bool,
) -> bool:
    """Write the page, and say where unless told not to; whether another table has errors.

    Args:
        report: The HTML file.
        first: The command's table, looked at with fingerprints.
        others: The other tables' files.
        read: Reads one as the first was read.
        quiet: No progress bars.
        silent: Say nothing on standard output.
    """
    from multitag.data.problems import find_problems
    from multitag.pages.data.page import data_page
    from multitag.report import write_page

    tables = [first]
    for path in others:
        table = read(path)
        tables.append((table, look_at(table.samples, name=table.name, quiet=quiet, fingerprints=True)))
    written = write_page(data_page(tables), report)
    if not silent:
        output.say(f"{written.html}: a page to look at; its numbers are in {written.json} and {written.tables}.")
    return any(problem.severity == "error" for table, looked in tables[1:] for problem in find_problems(table, looked))

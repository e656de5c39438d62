"""All pictures of a table looked at once: which cannot be used, how large they are, which are copies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from multitag.cores import threads
from multitag.data.fingerprints import Fingerprint, fingerprint
from multitag.data.images import MAX_BYTES, MAX_PIXELS, decode_image, image_name, image_size, read_bytes, whole_size
from multitag.errors import DataError, faults_message
from multitag.types import ImageSource, Sample

OnBadImage = Literal["error", "missing"]
Verify = Literal["decode", "header"]
Progress = Callable[[int, int], None]


class _Look(NamedTuple):
    size: tuple[int, int]
    content: str
    fingerprint: Fingerprint | None


class BadImage(NamedTuple):
    """A row whose picture cannot be used: its index, its place in the table, and why."""

    row: int
    source: str
    message: str


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What a look at the pictures of N rows found.

    Attributes:
        sizes: Per row, width and height of the upright picture; `None` without a usable picture.
        hashes: Per row, the hash of the picture's bytes (`content_hash`); `None` without a usable picture.
            Equal hashes are exact copies.
        bad: The rows whose picture cannot be used, in the table's order.
        fingerprints: Per row, what the picture looks like, where it was asked for; empty where it was not.
    """

    sizes: list[tuple[int, int] | None]
    hashes: list[str | None]
    bad: list[BadImage]
    fingerprints: list[Fingerprint | None] = field(default_factory=list)

    def raise_bad(self) -> None:
        """Raise the error that lists all bad rows, if there are any.

        Raises:
            DataError: Some pictures cannot be used.
        """
        if self.bad:
            raise DataError(
                faults_message(
                    "the picture of 1 row cannot be used"
                    if len(self.bad) == 1
                    else f"the pictures of {len(self.bad)} rows cannot be used",
                    [f"{bad.source}: {bad.message}" for bad in self.bad],
                    fix="Fix the files, or use these rows without a picture (--on-bad-image missing).",
                )
            )


def check_images(
    samples: Sequence[Sample],
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    verify: Verify = "decode",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    fingerprints: bool = False,
) -> ImageReport:
    """Look at each distinct picture once.

    Args:
        samples: The rows.
        progress: Called with the pictures done and their number, after each.
        workers: How many threads decode; as many as there are cores where it is not said.
        verify: Decode every pixel, or read headers only: much faster, but a file that is cut short goes
            unseen.
        max_pixels: As of `load_image`.
        max_bytes: As of `load_image`.
        fingerprints: Also say what each picture looks like (`near_copies` compares that); decodes every pixel.
    """
    if fingerprints and verify == "header":
        raise ValueError("fingerprints=True looks at every pixel, and verify='header' at none. Fix: verify='decode'")
    rows: dict[ImageSource, list[int]] = {}
    for row, sample in enumerate(samples):
        if sample.image is not None:
            rows.setdefault(sample.image, []).append(row)
    report = ImageReport(
        [None] * len(samples), [None] * len(samples), [], [None] * len(samples) if fingerprints else []
    )

    def look(source: ImageSource) -> _Look | str:
        return _look(source, verify, max_pixels, max_bytes, fingerprints)

    for done, (source, found) in enumerate(_each(look, list(rows), threads() if workers is None else workers), 1):
        for row in rows[source]:
            if isinstance(found, str):
                report.bad.append(BadImage(row, samples[row].source or f"row {row + 1}", found))
            else:
                report.sizes[row], report.hashes[row] = found.size, found.content
                if fingerprints:
                    report.fingerprints[row] = found.fingerprint
        if progress is not None:
            progress(done, len(rows))
    report.bad.sort()
    return report


def require_images(
    samples: Sequence[Sample],
    on_bad_image: OnBadImage = "error",
    *,
    progress: Progress | None = None,
    workers: int | None = None,
    verify: Verify = "decode",
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> tuple[list[Sample], ImageReport]:
    """The samples, all of whose pictures can be used, and the report; other arguments as of `check_images`.

    Args:
        samples: The rows.
        on_bad_image: ``"error"`` raises for all bad rows together; ``"missing"`` makes them rows without a
            picture, listed in the report.
        progress: As of `check_images`.
        workers: As of `check_images`.
        verify: As of `check_images`.
        max_pixels: As of `load_image`.
        max_bytes: As of `load_image`.

    Raises:
        DataError: Some pictures cannot be used, and `on_bad_image` is ``"error"``.
    """
    report = check_images(
        samples, progress=progress, workers=workers, verify=verify, max_pixels=max_pixels, max_bytes=max_bytes
    )
    if on_bad_image == "error":
        report.raise_bad()
    bad = {entry.row for entry in report.bad}
    return [replace(s, image=None) if row in bad else s for row, s in enumerate(samples)], report


def _look(source: ImageSource, verify: Verify, max_pixels: int, max_bytes: int, fingerprints: bool) -> _Look | str:
    """What a picture is, or what is wrong with it."""
    seen = None
    try:
        data = read_bytes(source, max_bytes)
        if fingerprints:
            image = decode_image(data, image_name(source), max_pixels=max_pixels)
            size, seen = image.size, fingerprint(image)
        elif verify == "decode":
            size = whole_size(data, image_name(source), max_pixels=max_pixels)
        else:
            size = image_size(data, image_name(source), max_pixels=max_pixels)
    except DataError as error:
        return str(error)
    return _Look(size, hashlib.sha256(data).hexdigest(), seen)


def _each(
    look: Callable[[ImageSource], _Look | str], sources: list[ImageSource], workers: int
) -> Iterator[tuple[ImageSource, _Look | str]]:
    if min(workers, len(sources)) < 2:
        yield from ((source, look(source)) for source in sources)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="multitag-images") as pool:
        window = 1024  # what waits in the pool is bounded, so Ctrl-C is quick and a million rows cost no memory
        for start in range(0, len(sources), window):
            part = sources[start : start + window]
            yield from zip(part, pool.map(look, part), strict=True)

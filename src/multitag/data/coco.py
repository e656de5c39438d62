"""MS-COCO annotations as rows: one a picture."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from multitag.data.chunk import Chunk
from multitag.errors import DataError, faults_message


def coco_rows(path: Path, instances: dict[str, Any], captions: Iterable[Any]) -> tuple[Chunk, tuple[str, ...] | None]:
    """One row a picture, and the names of all categories, if there are any.

    A row's labels are the names of its objects' categories in the order of the file's categories; its text is
    all its captions, joined by a space in their order.

    Args:
        path: The file, for messages.
        instances: What it holds: images, categories, annotations.
        captions: The annotations that have captions; those of other pictures are left out.

    Raises:
        DataError: A key is missing, or annotations point at pictures or categories that are not declared.
    """
    try:
        images = {image["id"]: str(image["file_name"]) for image in instances["images"]}
        categories = {entry["id"]: str(entry["name"]).strip() for entry in instances.get("categories") or ()}
        objects = [note for note in instances.get("annotations") or () if "category_id" in note]
        faults = [fault for note in objects for fault in _astray(note, images, categories)]
        if faults:
            raise DataError(faults_message(f"{len(faults)} annotations of {path} point nowhere", faults))
        found: dict[Any, set[Any]] = {image: set() for image in images}
        for note in objects:
            found[note["image_id"]].add(note["category_id"])
        texts: dict[Any, list[str]] = {image: [] for image in images}
        for note in captions:
            if "caption" in note and note["image_id"] in texts:
                texts[note["image_id"]].append(str(note["caption"]).strip())
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: MS-COCO annotations lack or misuse a key: {error!r}.") from error
    columns: dict[str, Any] = {"id": list(images), "image": list(images.values())}
    if any(texts.values()):
        columns["text"] = [" ".join(texts[image]) or None for image in images]
    if categories:
        columns["labels"] = [[name for key, name in categories.items() if key in found[image]] for image in images]
    chunk = Chunk(columns, range(1, len(images) + 1), f"{path.name}: image ")
    return chunk, tuple(dict.fromkeys(categories.values())) if categories else None


def _astray(note: dict[str, Any], images: dict[Any, str], categories: dict[Any, str]) -> list[str]:
    pairs = (("image_id", images, "images"), ("category_id", categories, "categories"))
    return [
        f"annotation {note.get('id', '?')}: {key} {note[key]!r} is not among the {among}"
        for key, declared, among in pairs
        if note[key] not in declared
    ]

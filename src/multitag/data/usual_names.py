"""What people call their columns."""

from __future__ import annotations

from typing import Final

# Names that can hardly mean anything else, then looser ones; each list in order of preference.
USUAL_NAMES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "id": (("id", "sampleid", "rowid", "uuid", "uid"), ()),
    "image": (
        ("imageid", "image", "imagepath", "img", "imgpath", "imagefile", "imagefilename", "imagename"),
        ("path", "file", "filename", "filepath", "picture", "photo", "poster", "thumbnail"),
    ),
    "text": (
        ("caption", "text", "captions"),
        (
            "title",
            "description",
            "plot",
            "sentence",
            "body",
            "content",
            "review",
            "overview",
            "summary",
            "message",
            "alttext",
        ),
    ),
    "labels": (
        ("labels", "label"),
        (
            "tags",
            "tag",
            "genres",
            "genre",
            "categories",
            "category",
            "keywords",
            "classes",
            "techniques",
            "topics",
        ),
    ),
    "group": (("group", "groupid"), ()),
}

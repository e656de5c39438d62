"""Texts in SemEval's format whose spans follow from the words."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = {"dog": "animal", "cat": "animal", "boat": "place", "house": "place"}
OTHER = ["two", "men", "near", "red", "old"]


def memes(count: int, start: int = 0) -> list[dict]:
    """Rows of SemEval's format; what a word is called follows from the word."""
    found = []
    for number in range(start, start + count):
        words = [list(WORDS)[number % 4], *(OTHER[(number + n) % 5] for n in range(3)), list(WORDS)[number // 4 % 4]]
        text, labels = " ".join(words), []
        for place, word in enumerate(words):
            at = len(" ".join(words[:place])) + bool(place)
            if word in WORDS:
                labels.append({"start": at, "end": at + len(word), "technique": WORDS[word], "text_fragment": word})
        found.append({"id": str(number), "text": text, "labels": labels})
    return found


def write(path: Path, rows: list[dict]) -> Path:
    """The rows in a file."""
    path.write_text(json.dumps(rows), "utf-8")
    return path

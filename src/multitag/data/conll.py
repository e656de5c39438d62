"""CoNLL columns: a token a line with its tags, a blank line between two texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from multitag.data.chunk import Chunk
from multitag.data.encoding import read_text
from multitag.errors import DataError, faults_message

_COMMENT: Final = re.compile(r"^# ?(\w+) = (.*)$")
_TAG: Final = re.compile(r"^(?:[O_]|[BILUES]-.+)$")
_BEGINS: Final = "BUS"
"""Prefixes that start a span: begin; unit and single (BILOU, BIOES), which end it too."""


@dataclass(slots=True)
class _Block:
    """The lines of one text."""

    line: int
    said: dict[str, str] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)


def conll_chunk(path: Path, encoding: str | None = None) -> tuple[Chunk, tuple[str, ...]]:
    """The texts of a CoNLL file with their spans, and what was doubtful.

    The first column is the token. Every other column of which all cells are tags (O, B-x, I-x; of BILOU and BIOES the
    rest too) marks spans: several columns, spans that overlap. An I without a B before it starts a span, too. Tokens
    are joined by spaces, unless a comment ``# text = ...`` says what the text is (``# json_text = "..."``, as JSON,
    with line breaks); ``# id = ...`` names it.

    Raises:
        DataError: Lines have other numbers of columns, no column holds tags, or tokens are not in their text.
    """
    content = read_text(path, encoding)
    lines = [line.rstrip("\r") for line in content.split("\n")]
    tabs = any("\t" in line for line in lines if not _COMMENT.match(line))
    blocks = list(_blocks(lines, "\t" if tabs else None))
    width = len(blocks[0].rows[0]) if blocks else 0
    faults = [
        f"{path.name}:{block.line + number} has {len(row)} columns, not {width}"
        for block in blocks
        for number, row in enumerate(block.rows)
        if len(row) != width
    ]
    if faults:
        raise DataError(faults_message(f"{len(faults)} lines of {path} have other columns than the first", faults))
    tags = [n for n in range(1, width) if all(_TAG.match(row[n]) for block in blocks for row in block.rows)]
    if not tags:
        raise DataError(
            f"{path} has no column of tags (O, B-label, I-label) beside its tokens. It is read as CoNLL columns; "
            f"a table ends in .csv, .tsv or .jsonl, a list of objects in .json."
        )
    notes = (
        [f"spans are from {len(tags)} columns of tags: {', '.join(str(n + 1) for n in tags)}"] if len(tags) > 1 else []
    )
    texts, spans = [], []
    for block in blocks:
        text, places = _text(block, path.name, faults)
        texts.append(text)
        spans.append([mark for n in tags for mark in _marks([row[n] for row in block.rows], places)])
    if faults:
        raise DataError(
            faults_message(f"{len(faults)} tokens of {path} are not in the text that is said of them", faults)
        )
    columns: dict[str, Sequence[Any]] = {"text": texts, "spans": spans}
    ids = [block.said.get("id", block.said.get("sent_id")) for block in blocks]
    if all(ids):
        columns = {"id": ids, **columns}
    return Chunk(columns, [block.line for block in blocks], f"{path.name}:"), tuple(notes)


def _blocks(lines: Sequence[str], separator: str | None) -> Iterator[_Block]:
    block = _Block(0)
    for number, line in enumerate(lines, 1):
        comment = _COMMENT.match(line)
        if not line.strip():
            if block.rows:
                yield block
                block = _Block(0)
        elif comment and not block.rows:
            block.said[comment[1]] = comment[2]
        elif not line.startswith("-DOCSTART-"):
            block.line = block.line or number
            block.rows.append([cell.strip() for cell in line.split(separator)])
    if block.rows:
        yield block


def _text(block: _Block, name: str, faults: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text of a block, and where its tokens stand."""
    tokens = [row[0] for row in block.rows]
    text = " ".join(tokens)
    if "json_text" in block.said:
        try:
            text = str(json.loads(block.said["json_text"]))
        except ValueError:
            faults.append(f"{name}:{block.line}: json_text is no JSON")
    elif "text" in block.said:
        text = block.said["text"]
    if not text.strip():
        return text, [(0, 0)] * len(tokens)
    places = []
    end = 0
    for number, token in enumerate(tokens):
        start = text.find(token, end)
        if start < 0:
            faults.append(
                f"{name}:{block.line + number}: {token!r} is not in the rest of the text, {text[end:][:40]!r}"
            )
            start = end
        else:
            end = start + len(token)
        places.append((start, start + len(token)))
    return text, places


def _marks(tags: Sequence[str], places: Sequence[tuple[int, int]]) -> Iterator[dict[str, Any]]:
    """The spans of one column."""
    current: dict[str, Any] | None = None
    for tag, (start, stop) in zip(tags, places, strict=True):
        prefix, _, label = tag.partition("-")
        if current is not None and (not label or prefix in _BEGINS or label != current["label"]):
            yield current
            current = None
        if label and current is None:
            current = {"start": start, "end": stop, "label": label}
        elif label and current is not None:
            current["end"] = stop
        if current is not None and prefix in ("U", "S", "L", "E"):
            yield current
            current = None
    if current is not None:
        yield current

"""Spans to a file, chunk by chunk; the file appears when all of them are in it."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from multitag.errors import DataError
from multitag.intervals import merged
from multitag.types import LabelSpace, Span, SpanPredictions
from multitag.words import words


class SpanWriter:
    """Writes spans as SemEval's JSON, as JSONL, or as CoNLL columns, by the file's ending.

    A context manager: the rows go to a temporary place beside the file, which takes their place in one step at the
    end of the block. If the block raises, nothing is left behind and an older file stays as it was.
    """

    def __init__(self, path: str | Path, space: LabelSpace, *, id_name: str = "id") -> None:
        """Open nothing yet.

        Args:
            path: The file to write: .json (ready for the scorer of SemEval-2021 task 6, subtask 2), .jsonl, .conll.
            space: The labels that spans may bear.
            id_name: What the rows' ids are called in JSONL.

        Raises:
            DataError: The file's ending is unknown, or its folder does not exist.
        """
        self.path = Path(path)
        self.space = space
        self.id_name = id_name
        if self.path.suffix.lower() not in SPAN_WRITERS:
            accepted = ", ".join(SPAN_WRITERS)
            raise DataError(
                f"{path}: cannot write spans to files that end in {self.path.suffix!r}. Accepted: {accepted}."
            )
        if not self.path.parent.is_dir():
            raise DataError(f"{path} cannot be written: the folder {self.path.parent} does not exist.")
        self._folder: Path | None = None
        self._file: TextIO | None = None
        self._rows = 0

    def __enter__(self) -> Self:
        """Make the temporary place."""
        self._folder = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=f".{self.path.name}."))
        self._file = (self._folder / "rows").open("w", encoding="utf-8", newline="")
        self._rows = 0
        self._file.write("[" if self._is_json else "")
        return self

    @property
    def _is_json(self) -> bool:
        return self.path.suffix.lower() == ".json"

    def write(self, predictions: SpanPredictions) -> None:
        """Append rows, in their order.

        Raises:
            DataError: Their labels are not the writer's, or the writer is not open.
        """
        if self._file is None:
            raise DataError("spans are written inside a 'with SpanWriter(...)' block only.")
        if predictions.space != self.space:
            raise DataError("these spans bear other labels than the file was made for.")
        write = SPAN_WRITERS[self.path.suffix.lower()]
        for name, text, spans in zip(predictions.ids, predictions.texts, predictions.spans, strict=True):
            if self._is_json:
                self._file.write(",\n " if self._rows else "\n ")
            self._file.write(write(self, name, text or "", merged(spans)))
            self._rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the file in its place, or clean up after an error."""
        folder, file, self._folder, self._file = self._folder, self._file, None, None
        if folder is None or file is None:
            return
        try:
            file.write("\n]\n" if self._is_json else "")
            file.close()
            if kind is None:
                os.replace(folder / "rows", self.path)
        finally:
            file.close()
            shutil.rmtree(folder, ignore_errors=True)


def _semeval(writer: SpanWriter, name: str, text: str, spans: tuple[Span, ...]) -> str:
    """An object of SemEval's list; rows without spans are there too, since the scorer wants every id."""
    marks = [
        {"start": s.start, "end": s.stop, "technique": s.label, "text_fragment": text[s.start : s.stop]} for s in spans
    ]
    return json.dumps({"id": name, "text": text, "labels": marks}, ensure_ascii=False)


def _jsonl(writer: SpanWriter, name: str, text: str, spans: tuple[Span, ...]) -> str:
    marks = [{"start": s.start, "end": s.stop, "label": s.label, "text": text[s.start : s.stop]} for s in spans]
    row: dict[str, Any] = {writer.id_name: name, "text": text, "spans": marks}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _conll(writer: SpanWriter, name: str, text: str, spans: tuple[Span, ...]) -> str:
    """A token a line, a column of tags for each label: spans of several labels may overlap.

    Words are cut where a span ends within them, and the whole text stands in a comment: nothing is lost but white space
    at a span's ends.
    """
    lines = [f"# id = {name}", f"# json_text = {json.dumps(text, ensure_ascii=False)}"]
    for start, stop in _tokens(text, spans):
        tags = [_tag(label, start, stop, text, spans) for label in writer.space.names]
        lines.append("\t".join([text[start:stop], *tags]))
    if len(lines) == 2:
        lines.append("\t".join(["_", *["O"] * len(writer.space)]))
    return "\n".join(lines) + "\n\n"


def _tokens(text: str, spans: tuple[Span, ...]) -> Iterator[tuple[int, int]]:
    ends = sorted({end for span in spans for end in (span.start, span.stop)})
    for start, stop in words(text):
        cuts = [start, *(end for end in ends if start < end < stop), stop]
        yield from pairwise(cuts)


def _tag(label: str, start: int, stop: int, text: str, spans: tuple[Span, ...]) -> str:
    for span in spans:
        if span.label == label and span.start < stop and start < span.stop:
            return f"{'I' if text[span.start : start].strip() else 'B'}-{label}"
    return "O"


SPAN_WRITERS: Final[dict[str, Callable[[SpanWriter, str, str, tuple[Span, ...]], str]]] = {
    ".json": _semeval,
    ".jsonl": _jsonl,
    ".conll": _conll,
}

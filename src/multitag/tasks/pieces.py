"""Texts as an encoder takes them, cut into windows where they are too long, and put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multitag.config import Config, JointConfig
from multitag.errors import ConfigError
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.spans import SPAN_DECODERS
from multitag.spans.alignment import Offsets, locate
from multitag.spans.row_answers import RowAnswers, gated
from multitag.spans.tagged import TaggedText
from multitag.spans.windows import Window, cut_windows, merge_windows
from multitag.tasks.base import Logits
from multitag.types import Sample, Span

_SURE = 1e-7


@dataclass(frozen=True)
class Pieces:
    """How a text encoder's tokens belong to the characters of whole texts.

    Attributes:
        tokenizer: The encoder's.
        limit: The most tokens that it takes.
        overlap: How many tokens two windows of a longer text share.
        joint: What is said of rows beside their tokens, if anything.
        begins: Whether the model says of each token too that a span begins with it.
    """

    tokenizer: Any
    limit: int
    overlap: int
    joint: JointConfig | None = None
    begins: bool = False

    @classmethod
    def of(cls, config: Config, slots: Mapping[str, Slot]) -> Pieces | None:
        """Those of the configuration's text encoder; `None` where the task is not about tokens.

        Raises:
            ConfigError: The encoder has no tokenizer that says where its tokens stand.
        """
        if config.task != "spans":
            return None
        name, slot = next((name, slot) for name, slot in slots.items() if slot.encoder.modality == "text")
        tokenizer, limit = getattr(slot.encoder, "tokenizer", None), getattr(slot.encoder, "limit", None)
        if not getattr(tokenizer, "is_fast", False) or limit is None:
            raise ConfigError(
                f"[encoders.{name}] '{config.encoders[name].name}' does not say which characters its tokens stand for, "
                f"which task = 'spans' needs. Fix: transformers_text, with a model that has a fast tokenizer"
            )
        begins = config.decoder is not None and SPAN_DECODERS.get(config.decoder.name).scheme == "begin_inside"
        return cls(tokenizer, int(limit), min(32, int(limit) // 4), config.joint, begins)

    def cut(self, rows: Rows) -> Rows:
        """The rows as the encoder sees them: a row for each window, its spans counted from the window's start.

        Each window has the picture of its row.

        A span that began before its window starts below 0.
        """
        windows = self._windows(rows.samples)
        samples = [_window(rows.samples[window.row], window) for window in windows]
        return Rows(samples, [rows.hashes[window.row] for window in windows])

    def join(self, rows: Rows, logits: Logits) -> Logits:
        """What a model says of whole texts: (N, T, O), only real tokens, NaN after the last one of each text.

        What it says of rows, where it does, is laid on their tokens as far as the configuration wants; of a text in
        windows, what that window says which is surest that the row has the label.

        Args:
            rows: N rows.
            logits: (W, T', O), of all tokens of the W rows that `cut` made of them; (W, R + T', O) with the rows'.
        """
        windows = self._windows(rows.samples)
        if self.joint is None:
            return self._joined(rows, windows, logits)
        labels = logits.shape[-1] // (2 if self.begins else 1)
        of_rows, of_tokens = RowAnswers(labels + len(self.joint.names), logits.shape[-1]).split(logits)
        surest = np.full((len(rows), labels), -np.inf, np.float32)
        np.maximum.at(surest, [window.row for window in windows], of_rows[:, :labels])
        return gated(self._joined(rows, windows, of_tokens), surest, self.joint.gate)

    def _joined(self, rows: Rows, windows: Sequence[Window], logits: Logits) -> Logits:
        places = self.places(rows.samples)
        own = locate(self.tokenizer, [_text(rows.samples[w.row])[w.start : w.stop] for w in windows])
        longest = max([1, *map(len, places)])
        joined = np.full((len(rows), longest, logits.shape[-1]), np.nan, np.float32)
        number = 0
        for row, sample in enumerate(rows.samples):
            first = number
            while number < len(windows) and windows[number].row == row:
                number += 1
            if number - first == 1:
                joined[row, : len(places[row])] = logits[first, np.flatnonzero(own[first].real)]
                continue
            text = _text(sample)
            parts = [
                TaggedText.of(
                    text[windows[w].start : windows[w].stop],
                    own[w].shifted(windows[w].start),
                    1 / (1 + np.exp(-logits[w].astype(np.float64))),
                )
                for w in range(first, number)
            ]
            merged = merge_windows(text, places[row], windows[first:number], parts)
            p = np.clip(merged.values, _SURE, 1 - _SURE)
            joined[row, : len(p)] = np.log(p) - np.log1p(-p)
        return joined

    def places(self, samples: Sequence[Sample]) -> list[Offsets]:
        """The characters (T, 2) of the real tokens of each row's whole text."""
        found = locate(self.tokenizer, [_text(sample) for sample in samples])
        return [tokens.offsets[tokens.real] for tokens in found]

    def _windows(self, samples: Sequence[Sample]) -> list[Window]:
        return cut_windows(
            self.tokenizer, [_text(sample) for sample in samples], limit=self.limit, overlap=self.overlap
        )


def _text(sample: Sample) -> str:
    return sample.text or ""


def _window(sample: Sample, window: Window) -> Sample:
    if sample.text is None or (window.start == 0 and window.stop == len(sample.text)):
        return sample
    spans = sample.spans
    if spans is not None:
        spans = tuple(
            Span(span.start - window.start, min(span.stop, window.stop) - window.start, span.label)
            for span in spans
            if span.start < window.stop and span.stop > window.start
        )
    return replace(sample, text=sample.text[window.start : window.stop], spans=spans)

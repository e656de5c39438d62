"""Spans: logits for each token and label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from multitag.metrics import SPAN_METRICS
from multitag.metrics.span_answers import SpanAnswers
from multitag.spans import SPAN_DECODERS
from multitag.spans.alignment import Scheme, locate, token_targets
from multitag.spans.row_answers import RowAnswers
from multitag.spans.tagged import TaggedText
from multitag.tasks.base import Logits, Targets
from multitag.tasks.labels import LabelTask
from multitag.tasks.pieces import Pieces
from multitag.types import LabelSpace, Sample, Span


class SpanTask:
    """Which words of a text carry which labels of a space.

    Args:
        space: The labels.
        pieces: Where the encoder's tokens stand.
        scheme: What the model says of each token.
        row_names: The labels of rows that it learns beside, after those of the row's spans; `None` where it says
            nothing of rows.
    """

    def __init__(
        self, space: LabelSpace, pieces: Pieces, scheme: Scheme, row_names: tuple[str, ...] | None = None
    ) -> None:
        self.space = space
        outputs = len(space) * (2 if scheme == "begin_inside" else 1)
        self.beside = None if row_names is None else RowAnswers(len(space) + len(row_names), outputs)
        self._row_space = LabelSpace(row_names or ())
        self.pieces = pieces
        self.scheme: Scheme = scheme
        self._tokens = LabelTask(space)

    def targets(self, samples: Sequence[Sample]) -> Targets:
        """(N, T, K) or (N, T, 2K) of rows that fit the encoder: 1, 0, and NaN where a token is not real or the row's
        spans are not known; with targets of rows (N, R + T, O)."""
        located = locate(self.pieces.tokenizer, [sample.text or "" for sample in samples], limit=self.pieces.limit)
        longest = max([1, *(len(tokens.real) for tokens in located)])
        outputs = len(self.space) * (2 if self.scheme == "begin_inside" else 1)
        targets = np.full((len(samples), longest, outputs), np.nan, np.float32)
        for row, (sample, tokens) in enumerate(zip(samples, located, strict=True)):
            if sample.spans is not None:
                targets[row, : len(tokens.real)] = token_targets(tokens, sample.spans, self.space, self.scheme)
        if self.beside is None:
            return targets
        of_rows = torch.from_numpy(self._row_targets(samples))
        joined: Targets = self.beside.joined(of_rows, torch.from_numpy(targets), fill=float("nan")).numpy()
        return joined

    def _row_targets(self, samples: Sequence[Sample]) -> Targets:
        """(N, K'): which labels the row's spans bear, then which it has itself."""
        marked = [
            replace(s, labels=None if s.spans is None else tuple({span.label for span in s.spans}), unknown=())
            for s in samples
        ]
        own = [replace(s, labels=s.row_labels, unknown=()) for s in samples]
        return np.concatenate([self.space.encode(marked), self._row_space.encode(own)], axis=1)

    def examples(self, targets: Targets) -> Targets:
        """(M, K) or (M, 2K): the real tokens alone."""
        of_tokens = targets if self.beside is None else self.beside.split(targets)[1]
        return np.asarray(of_tokens[~np.isnan(of_tokens).all(axis=-1)])

    def score(self, logits: Logits, targets: Targets, monitor: str, samples: Sequence[Sample] = ()) -> float:
        """A metric of spans; or the score of label sets, each real token being a row, ``"loss"`` above all.

        Metrics of spans are taken at the global threshold that is best for them on these very rows: good enough to
        compare epochs, and the decoder is fitted afterwards. A window counts as a text of its own.
        """
        if self.beside is not None:
            logits, targets = self.beside.split(logits)[1], self.beside.split(targets)[1]
        if monitor in SPAN_METRICS.names():
            return self._span_score(logits, monitor, samples)
        width = min(logits.shape[1], targets.shape[1])
        real = np.logical_not(np.isnan(targets).all(axis=-1))
        return self._tokens.score(logits[:, :width][real[:, :width]], targets[:, :width][real[:, :width]], monitor)

    def _span_score(self, logits: Logits, monitor: str, samples: Sequence[Sample]) -> float:
        inside = 1 / (1 + np.exp(-logits[:, :, -len(self.space) :].astype(np.float64)))
        if not np.isfinite(inside[:, :1]).all():
            return float("nan")
        texts = [sample.text or "" for sample in samples]
        located = locate(self.pieces.tokenizer, texts)
        tagged = [
            TaggedText.of(text, tokens, values) for text, tokens, values in zip(texts, located, inside, strict=True)
        ]
        gold = [None if s.spans is None else tuple(_from_the_start(span) for span in s.spans) for s in samples]
        target = "exact_f1" if monitor.startswith("exact") else "partial_f1"
        decoder = SPAN_DECODERS.build("global_threshold", {"target": target}, self.space)
        found = decoder.fit(tagged, gold).apply(tagged)
        known = [
            None if spans is None else [span for span in spans if span.label in self.space.names] for spans in gold
        ]
        return float(SPAN_METRICS.get(monitor)(SpanAnswers(known, found, self.space.names)))


def _from_the_start(span: Span) -> Span:
    """A span of a window that may have begun before it."""
    return replace(span, start=max(span.start, 0))

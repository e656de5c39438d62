"""Characters to tokens: where the tokens of a text stand in it, and which of them a span covers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from multitag.errors import ConfigError, DataError, faults_message
from multitag.intervals import merged
from multitag.types import BoolArray, LabelSpace, Span

Offsets = npt.NDArray[np.int64]
Scheme = Literal["inside", "begin_inside"]
"""``"inside"``: K outputs a token, the token is in a span of label k. ``"begin_inside"``: 2K, first the K that say that
a span of label k begins with the token, then the K of ``"inside"``."""


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """The tokens that an encoder sees of one text, or of one window of it.

    Attributes:
        offsets: (T, 2), the characters of the text that each token stands for, half-open, white space at either end
            left out. Several tokens may stand for one character (the bytes of an emoji).
        real: (T,), False for special tokens and for tokens of nothing but white space: nothing is learned there, and
            nothing is predicted.
        start: The character of the text with which the window starts.
    """

    offsets: Offsets
    real: BoolArray
    start: int = 0

    def shifted(self, start: int) -> Tokens:
        """The same tokens, of a window that starts with the character `start` of the whole text."""
        offsets = np.where(self.real[:, None], self.offsets + start, self.offsets)
        return replace(self, offsets=offsets, start=self.start + start)


def locate(tokenizer: Any, texts: Sequence[str], *, limit: int | None = None) -> list[Tokens]:
    """The tokens of each text as its encoder sees them, special tokens included, padding left out.

    Args:
        tokenizer: A fast tokenizer of transformers.
        texts: Any texts.
        limit: The most tokens that the encoder takes.

    Raises:
        ConfigError: The tokenizer does not say where its tokens stand.
        DataError: Texts have more tokens than `limit`: cut them into windows first.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise ConfigError(
            f"the tokenizer {type(tokenizer).__name__} does not say which characters its tokens stand for, which spans "
            f"need. Fix: choose a model with a fast tokenizer (a tokenizer.json)"
        )
    if not texts:
        return []
    encoded = tokenizer(
        list(texts),
        padding=False,
        truncation=False,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        verbose=False,
    )
    lengths = [len(ids) for ids in encoded["input_ids"]]
    if limit is not None and max(lengths) > limit:
        faults = [f"text {row}: {length} tokens" for row, length in enumerate(lengths) if length > limit]
        raise DataError(
            faults_message(
                f"{len(faults)} texts have more tokens than the {limit} that the encoder takes",
                faults,
                fix="Fix: cut them into windows first (multitag.spans.windows).",
            )
        )
    rows = zip(texts, encoded["offset_mapping"], encoded["special_tokens_mask"], strict=True)
    return [_tokens(text, offsets, special) for text, offsets, special in rows]


def token_targets(tokens: Tokens, spans: Sequence[Span], space: LabelSpace, scheme: Scheme = "inside") -> Any:
    """What the outputs of each token should be.

    A token is inside a span if they share a character. Overlapping spans of one label are merged first, as the score
    does. A span begins with the first real token that shares a character with it, unless it began before the window.

    Args:
        tokens: T tokens; of a window, shifted to the whole text.
        spans: Spans of the whole text; labels outside of the space are left out.
        space: K labels.
        scheme: What there is an output for.

    Returns:
        (T, K) or (T, 2K) float32: 1, 0, and NaN where a token is not real.
    """
    index = {name: k for k, name in enumerate(space.names)}
    inside = np.zeros((len(tokens.real), len(space)), np.float32)
    begin = np.zeros_like(inside)
    for span in merged(span for span in spans if span.label in index):
        touched = np.flatnonzero(_overlapping(tokens, span))
        inside[touched, index[span.label]] = 1
        if len(touched) and span.start >= tokens.start:
            begin[touched[0], index[span.label]] = 1
    targets = inside if scheme == "inside" else np.concatenate([begin, inside], axis=1)
    targets[~tokens.real] = np.nan
    return targets


def lost_spans(tokens: Tokens, spans: Sequence[Span]) -> list[Span]:
    """The spans that no token shares a character with: white space only, or characters that the tokenizer drops."""
    return [span for span in spans if not _overlapping(tokens, span).any()]


def _overlapping(tokens: Tokens, span: Span) -> BoolArray:
    starts, stops = tokens.offsets.T
    return np.asarray(tokens.real & (starts < span.stop) & (stops > span.start))


def _tokens(text: str, offsets: Sequence[tuple[int, int]], special: Sequence[int]) -> Tokens:
    bare = list(_bare(text, offsets))
    places = np.asarray(bare, np.int64).reshape(-1, 2)
    return Tokens(places, (places[:, 1] > places[:, 0]) & (np.asarray(special, np.int64) == 0))


def _bare(text: str, offsets: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Offsets without the white space that some tokenizers count to the word after it.

    Where a character's bytes are split among two tokens, it belongs to the first, so that the second does not carry a
    span over to it.
    """
    taken = 0
    for first, last in offsets:
        start = taken if first < taken < last else first
        piece = text[start:last]
        start += len(piece) - len(piece.lstrip())
        stop = max(last - len(piece) + len(piece.rstrip()), start)
        taken = max(taken, stop)
        yield start, stop

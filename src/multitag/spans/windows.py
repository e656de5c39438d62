"""Texts that are longer than an encoder takes: windows that overlap, and their tokens' probabilities put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.errors import ConfigError, DataError
from multitag.spans.alignment import Offsets, Tokens, locate
from multitag.spans.tagged import TaggedText


@dataclass(frozen=True, slots=True)
class Window:
    """The characters `start` up to, not including, `stop` of the text number `row`."""

    row: int
    start: int
    stop: int


def cut_windows(tokenizer: Any, texts: Sequence[str], *, limit: int, overlap: int) -> list[Window]:
    """Windows of at most `limit` tokens, special ones included, that cover all words of every text.

    A text that fits is one window. Others are cut where a word starts, if one does in the second half of the window,
    else between two tokens, and each window repeats about `overlap` tokens of the one before it. White space at the
    ends of such a text is in no window.

    Args:
        tokenizer: A fast tokenizer.
        texts: Any texts.
        limit: The most tokens that the encoder takes.
        overlap: How many tokens two windows share, fewer than half of what a window holds.

    Returns:
        In the order of the texts, at least one for each.

    Raises:
        ConfigError: The windows would hold no text, or overlap by half.
        DataError: A single token of a text is longer than a window once it stands on its own.
    """
    special = int((~locate(tokenizer, ["a"])[0].real).sum())
    room = limit - special
    if room < 1 or overlap < 0 or 2 * overlap >= max(room, 1):
        raise ConfigError(
            f"windows of {limit} tokens, {special} of them special, cannot overlap by {overlap}. "
            f"Accepted: an overlap from 0 to less than half of the {max(room, 0)} tokens that are left for the text."
        )
    return [
        Window(row, *window)
        for row, (text, tokens) in enumerate(zip(texts, locate(tokenizer, texts), strict=True))
        for window in _cut(tokenizer, text, tokens, limit=limit, room=room, overlap=overlap)
    ]


def _cut(tokenizer: Any, text: str, tokens: Tokens, *, limit: int, room: int, overlap: int) -> list[tuple[int, int]]:
    if len(tokens.real) <= limit:
        return [(0, len(text))]
    places = tokens.offsets[tokens.real]
    if not len(places):  # nothing but white space
        return [(0, 0)]
    # A character's bytes stay together: only the first of the tokens that stand for it may be cut before.
    places = places[np.append(True, places[1:, 1] > np.maximum.accumulate(places[:-1, 1]))]
    windows: list[tuple[int, int]] = []
    first = 0
    while True:
        last = min(first + room, len(places))  # not included
        if last < len(places):
            last = _at_a_word(text, places, first, last)
        # On its own a piece may make other tokens than within the text: take as much as fits.
        while (excess := _tokens_of(tokenizer, text, places, first, last) - limit) > 0:
            if last - first <= 1:
                raise DataError(
                    f"the text {text[:40]!r}... has one token at character {places[first, 0]} that needs more than "
                    f"{limit} tokens on its own. Fix: allow longer windows"
                )
            last = max(first + 1, last - excess)
        windows.append(_characters(places, first, last))
        if last >= len(places):
            return windows
        first = max(first + 1, _at_a_word(text, places, first, last - overlap) if overlap else last)


def _at_a_word(text: str, places: Offsets, first: int, last: int) -> int:
    """The last token in the second half of `first` to `last`, at which a word starts; else `last`."""
    for token in range(last, (first + last) // 2, -1):
        if token < len(places) and places[token, 0] > 0 and text[places[token, 0] - 1].isspace():
            return token
    return last


def _characters(places: Offsets, first: int, last: int) -> tuple[int, int]:
    """The window of these tokens, with one space before it: it is part of the first token to some tokenizers.

    More white space, at the ends of the text above all, could need more tokens than there is room for.
    """
    before = 0 if first == 0 else int(places[first - 1, 1])
    start = max(before, int(places[first, 0]) - 1)
    return min(start, int(places[first, 0])), int(places[last - 1, 1])


def _tokens_of(tokenizer: Any, text: str, places: Offsets, first: int, last: int) -> int:
    start, stop = _characters(places, first, last)
    return len(locate(tokenizer, [text[start:stop]])[0].real)


def merge_windows(text: str, places: Offsets, windows: Sequence[Window], parts: Sequence[TaggedText]) -> TaggedText:
    """One text out of its windows: each token's probability is the mean over the windows that hold all of it.

    Where a window's tokens are others than the whole text's, a token of the text takes the highest of those that share
    a character with it.

    Args:
        text: The whole text.
        places: (T, 2), its real tokens, as of the text in one piece.
        windows: Those of the text.
        parts: What the model says of each, with offsets in the whole text.

    Raises:
        DataError: The windows leave a token out.
    """
    width = parts[0].values.shape[1]
    total: npt.NDArray[np.float64] = np.zeros((len(places), width))
    seen: npt.NDArray[np.int64] = np.zeros(len(places), np.int64)
    for window, part in zip(windows, parts, strict=True):
        for token in np.flatnonzero((places[:, 0] >= window.start) & (places[:, 1] <= window.stop)):
            start, end = places[token].tolist()
            low = int(np.searchsorted(part.offsets[:, 1], start, side="right"))
            high = int(np.searchsorted(part.offsets[:, 0], end, side="left"))
            seen[token] += 1
            if high > low:
                total[token] += _of_token(part, low, high, start, end)
    if len(places) and not seen.all():
        lost = int(np.flatnonzero(seen == 0)[0])
        raise DataError(f"no window holds the token at characters {places[lost, 0]}-{places[lost, 1]} of the text.")
    return TaggedText(text, places, total / np.maximum(seen, 1)[:, None])


def _of_token(part: TaggedText, low: int, high: int, start: int, end: int) -> npt.NDArray[np.float64]:
    same = [place for place in range(low, high) if tuple(part.offsets[place]) == (start, end)]
    return np.asarray(part.values[same or slice(low, high)].max(axis=0))

"""Where the words of a text stand, in any script."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_ASCII: Final = re.compile(r"\w+(?:['-]\w+)*|[^\w\s]")
_INNER: Final = frozenset("'’-‐·׳״")
"""What may stand between two letters of one word: apostrophes, hyphens, the Catalan dot, Hebrew's quotation marks."""
_JOINERS: Final = frozenset("\u200c\u200d")


def words(text: str) -> list[tuple[int, int]]:
    """The words of a text, and every other visible character as a word of its own, half-open ranges in order.

    Letters, digits and what is written on or under them (accents, vowel signs) make a word; an apostrophe or a
    hyphen between two letters belongs to it. Symbols that are joined into one emoji stay one.
    """
    if text.isascii():
        return [match.span() for match in _ASCII.finditer(text)]
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        if text[start].isspace():
            start += 1
            continue
        stop = _word_end(text, start) if _is_letter(text[start]) else _symbol_end(text, start)
        found.append((start, stop))
        start = stop
    return found


def _word_end(text: str, start: int) -> int:
    stop = start + 1
    while stop < len(text):
        inner = text[stop] in _INNER and stop + 1 < len(text) and _is_letter(text[stop + 1])
        if not (_is_letter(text[stop]) or _is_mark(text[stop]) or inner):
            break
        stop += 1
    return stop


def _symbol_end(text: str, start: int) -> int:
    stop = start + 1
    while stop < len(text) and not text[stop].isspace():
        joined = text[stop - 1] == "\u200d" and not _is_letter(text[stop])
        if not (joined or _is_mark(text[stop])):
            break
        stop += 1
    return stop


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


def _is_mark(character: str) -> bool:
    """Whether the character changes the one before it: accents, vowel signs, variation selectors, skin tones."""
    return (
        character in _JOINERS
        or unicodedata.category(character).startswith("M")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )

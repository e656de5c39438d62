"""How the labels of a column are written, judged by all of its cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from multitag.data.labels import MARKS, LabelSeparator, LabelStyle, list_cell
from multitag.data.values import indicator, is_null


def find_style(cells: Sequence[Any], separator: LabelSeparator = "auto") -> tuple[LabelStyle, list[str]]:
    """The style of a column of label cells, and what was doubtful about it.

    The whole column decides: a bar, a semicolon or a comma that stands in at least a tenth of the cells which
    hold any of them splits, the first of the three; then labels may have spaces in them. Without any, spaces
    split, unless the cells look like single labels of several words: the same cells come again and again, and
    most of them hold a word that no other cell has.

    Args:
        cells: The column.
        separator: The user's say; ``"auto"`` judges.
    """
    texts = Counter(cell.strip() for cell in cells if isinstance(cell, str) and cell.strip())
    if not texts:
        lists = any(not is_null(cell) and not isinstance(cell, str | int | float) for cell in cells)
        return LabelStyle("list" if lists else "split", " "), []
    if separator in ("json", "python"):
        return LabelStyle(separator), []
    if separator == "none":
        return LabelStyle("single"), []
    if separator != "auto":
        return LabelStyle("split", _as_written(MARKS[separator], texts)), []
    return _judged(texts)


def find_indicators(columns: dict[str, Sequence[Any]]) -> tuple[str, ...]:
    """The columns of only 0, 1 and empty cells, but for all-empty ones; fewer than two count as none."""
    found = tuple(name for name, cells in columns.items() if _only_indicators(cells))
    return found if len(found) > 1 else ()


def _only_indicators(cells: Sequence[Any]) -> bool:
    try:
        marks = [indicator(cell) for cell in set(cells)]
    except (ValueError, TypeError):
        return False
    return any(mark is not None for mark in marks)


def _judged(texts: Counter[str]) -> tuple[LabelStyle, list[str]]:
    if all(text[0] in "[({" and text[-1] in "])}" for text in texts):
        try:
            for text in texts:
                list_cell(text)
        except ValueError:
            pass
        else:
            return LabelStyle("json" if any('"' in text for text in texts) else "python"), []
    holding = {mark: sum(n for text, n in texts.items() if mark in text) for mark in "|;,"}
    marked = sum(n for text, n in texts.items() if any(mark in text for mark in "|;,"))
    for mark, count in holding.items():
        if marked and count * 10 >= marked:
            others = [other for other, n in holding.items() if n and other != mark]
            notes = [f"labels are split at {mark!r}; some cells also hold {' and '.join(map(repr, others))}"]
            return LabelStyle("split", _as_written(mark, texts)), notes if others else []
    if _several_words(texts):
        return LabelStyle("single"), ["label cells are not split at spaces: they look like names of several words"]
    return LabelStyle("split", " "), []


def _as_written(mark: str, texts: Counter[str]) -> str:
    """The separator with the space that usually follows it."""
    if mark == " ":
        return mark
    joined = "\n".join(texts)
    spaced = len(re.findall(re.escape(mark) + " ", joined))
    return mark + " " if spaced * 2 > joined.count(mark) else mark


def _several_words(texts: Counter[str]) -> bool:
    phrases = {text: set(text.split()) for text in texts if " " in text}
    if not phrases or all(word.isdecimal() for words in phrases.values() for word in words):
        return False
    cells_with = Counter(word for text in texts for word in set(text.split()))
    own = sum(any(cells_with[word] == 1 for word in words) for words in phrases.values())
    again = sum(texts[text] > 1 for text in phrases)
    return own * 2 > len(phrases) and again * 2 > len(phrases)

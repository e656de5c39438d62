"""Which rows are copies of rows that only their hashes are known of."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.features.rows import Rows
from multitag.fitting.copies import are_copies, content_keys, kept_keys
from multitag.pipeline import NO_KEYS
from multitag.types import Sample


def row(picture: str | None, text: str | None) -> Rows:
    return Rows([Sample("id", text=text)], [picture])


BOTH, PICTURE, WORDS, NOTHING = row("p", "t"), row("p", None), row(None, "t"), row(None, None)


@pytest.mark.parametrize(
    ("kept", "asked", "copy", "without_looking_at_pictures"),
    [
        (BOTH, BOTH, True, True),
        (BOTH, row("p", "other"), True, True),
        (BOTH, PICTURE, True, True),
        (BOTH, WORDS, True, True),
        (BOTH, row("q", "t"), False, True),
        (BOTH, row("q", "other"), False, False),
        (PICTURE, BOTH, True, True),
        (PICTURE, WORDS, False, False),
        (WORDS, WORDS, True, True),
        (WORDS, BOTH, True, True),
        (WORDS, row(None, "T"), False, False),
        (NOTHING, NOTHING, False, False),
        (row("t", None), WORDS, False, False),
        (row("t", None), row("x", "t"), False, False),
    ],
)
def test_the_same_picture_or_the_same_text_where_a_picture_is_lacking(
    kept: Rows, asked: Rows, copy: bool, without_looking_at_pictures: bool
) -> None:
    keys = kept_keys(kept)
    assert are_copies(asked, keys, pictures=True).tolist() == [copy]
    assert are_copies(asked, keys, pictures=False).tolist() == [without_looking_at_pictures]


def test_each_row_is_judged_on_its_own() -> None:
    keys = kept_keys(row(None, "b") + row("p", "c") + row("p", "d"))
    asked = row(None, "a") + row("p", "x") + NOTHING + row("q", "b") + row("q", "c") + row(None, "d")
    assert are_copies(asked, keys, pictures=True).tolist() == [False, True, False, True, False, True]
    assert not are_copies(asked, NO_KEYS, pictures=True).any()
    assert are_copies(Rows([], []), keys, pictures=True).shape == (0,)


def test_keys_hold_what_rows_show_once_whatever_their_order() -> None:
    rows = BOTH + WORDS + PICTURE + BOTH
    keys = kept_keys(rows)
    assert keys.dtype == np.int64
    assert len(keys) == 3
    assert np.array_equal(keys, kept_keys(rows.take([3, 2, 1, 0])))
    assert set(content_keys(rows).tolist()) <= set(keys.tolist())
    assert kept_keys(NOTHING).shape == (0,)


def test_letters_that_no_encoding_has_are_no_trouble() -> None:
    odd = row(None, "a\udc80")
    assert are_copies(odd, kept_keys(odd), pictures=True).all()

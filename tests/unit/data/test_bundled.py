"""The bundled pictures are there, readable and labelled."""

from __future__ import annotations

import pytest

from multitag.data.bundled import bundled_path
from multitag.data.image_check import check_images
from multitag.data.table import read_table
from multitag.errors import DataError


def test_the_bundled_data_is_whole():
    folder = bundled_path("openclipart")
    tables = [read_table(folder / f"{name}.csv", images=folder / "images") for name in ("train", "valid", "test")]
    samples = [sample for table in tables for sample in table.samples]
    assert len(samples) == len({sample.id for sample in samples}) == 1258
    assert len({name for sample in samples for name in sample.labels}) == 31
    assert check_images(samples, verify="header").bad == []
    assert "public domain" in (folder / "LICENCE.md").read_text().lower()


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(DataError, match="Accepted: openclipart"):
        bundled_path("imagenet")

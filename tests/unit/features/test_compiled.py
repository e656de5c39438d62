"""``store.runtime = "compiled"``: torch.compile says what torch says, or torch it is, with a warning."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from fakes import Words
from multitag.config import Config
from multitag.encoders import Inputs
from multitag.errors import DataWarning
from multitag.features import compiled, runtime
from multitag.features.slots import Slot, make_slot
from multitag.layers import masked_mean
from multitag.types import Encoded

CPU = torch.device("cpu")
needs_compiler = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++"))), reason="torch.compile needs a C++ compiler"
)


TEXTS = ["my dog", "two small birds and the large old cat", "the boat", "by the sea"]


class Mixed(Words):
    """Words, each mixed with its neighbours: of a BERT each kernel of each layer would be compiled, for minutes."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.into, self.out = nn.Linear(2, 16), nn.Linear(16, 2)

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        mask = inputs["mask"]
        hidden = self.into(inputs["tokens"] / 26)
        near = (hidden @ hidden.transpose(1, 2)).masked_fill(~mask.unsqueeze(1), -1e4).softmax(-1)
        states = self.out((near @ hidden).tanh()) * mask.unsqueeze(-1)
        pooled = masked_mean(states, mask)
        return Encoded(pooled, states, mask) if tokens else Encoded(pooled)


def slot_of(*changes: str) -> Slot:
    return make_slot("text", Mixed(), Config().changed(["store.runtime=compiled", *changes]))


@needs_compiler
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_compiled_says_what_torch_says_at_any_batch_size_and_length(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, precision: str
) -> None:
    slot = slot_of(f"store.precision={precision}")
    texts = (TEXTS, TEXTS[:1], ["dog " * 20, "dog"])
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


def test_what_cannot_be_compiled_runs_in_torch_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(network: torch.nn.Module, **options: object) -> torch.nn.Module:
        raise RuntimeError("no working C++ compiler")

    monkeypatch.setattr(torch, "compile", no_compiler)
    slot = slot_of()
    inputs = slot.encoder.prepare(TEXTS)
    with pytest.warns(DataWarning, match=r"slower: torch\.compile cannot be used .*no working C\+\+ compiler"):
        got = slot.run(inputs, tmp_path, tokens=False, device=CPU)
    assert torch.equal(got.pooled, runtime.in_torch(slot.encoder, tokens=False)(inputs).pooled)


def test_what_says_something_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(torch.nn.Module):
        def __init__(self, network: torch.nn.Module) -> None:
            super().__init__()
            self.network = network

        def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(tensor.flip(0) for tensor in self.network(*tensors))

    monkeypatch.setattr(compiled.torch, "compile", lambda network, **options: Other(network))
    slot = slot_of()
    inputs = slot.encoder.prepare(TEXTS)
    with pytest.warns(DataWarning, match="its vectors differ, cosine"):
        got = slot.run(inputs, tmp_path, tokens=False, device=CPU)
    assert torch.equal(got.pooled, runtime.in_torch(slot.encoder, tokens=False)(inputs).pooled)

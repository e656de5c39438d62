from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import tiny
from multitag.config import Config
from multitag.encoders.transformers_text import TransformersText
from multitag.features import crew
from multitag.features.chunks import Chunk
from multitag.features.runtime import Engine
from multitag.features.slots import Slot, make_slot
from multitag.types import Encoded, Sample

CPU = torch.device("cpu")


@pytest.fixture
def slot(models: dict[str, Path]) -> Slot:
    encoder = TransformersText(model=str(models["bert"]))
    encoder.load()
    return make_slot("text", encoder, Config())


def chunks(count: int = 9) -> list[Chunk]:
    words = [f"{text} {n}" for n in range(count) for text in tiny.TEXTS]
    rows = [Sample(id=str(n), text=text) for n, text in enumerate(words)]
    pieces = [rows[start : start + 4] for start in range(0, len(rows), 4)]
    return [Chunk(piece, [sample.id for sample in piece]) for piece in pieces]


def encoded(slot: Slot, parts: list[Chunk], folder: Path, *, tokens: bool = False) -> list[crew.Answer]:
    answers = list(crew.encode_chunks(crew.Work(slot, folder, tokens, CPU), parts, len(parts)))
    assert [chunk.contents for chunk, _ in answers] == [chunk.contents for chunk in parts]
    return [answer for _, answer in answers]


def at_work(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(crew, "threads", lambda: count)


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_any_number_of_threads_gives_the_same_numbers_in_the_same_order(
    slot: Slot, exports: Path, monkeypatch: pytest.MonkeyPatch, tokens: bool, runtime: Engine
) -> None:
    if runtime == "onnx":
        pytest.importorskip("onnxruntime", reason="needs the extra 'onnx'")
    slot.engine = runtime
    found = []
    for count in (1, 6):
        at_work(monkeypatch, count)
        before = torch.get_num_threads()
        found.append(encoded(slot, chunks(), exports, tokens=tokens))
        assert torch.get_num_threads() == before
    for (pooled, states), (other, others) in zip(*found, strict=True):
        np.testing.assert_array_equal(pooled, other)
        assert (states is None) == (not tokens)
        for row, same in zip(states or [], others or [], strict=True):
            np.testing.assert_array_equal(row, same)


class Counting(Slot):
    """Counts how many chunks are under way at a time, and with how many threads each."""

    def count(self) -> None:
        self.now, self.most, self.asked = 0, 0, []
        self.lock = threading.Lock()

    def items(self, samples: Sequence[Sample]) -> list[object]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        return super().items(samples)

    def run(self, *arguments: object, threads: int | None = None, **how: object) -> Encoded:  # type: ignore[override]
        self.asked.append((threads, torch.get_num_threads()))
        with self.lock:
            self.now -= 1
        return super().run(*arguments, threads=threads, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "each"), [(1, 1), (2, 2), (4, 2), (9, 2), (12, 3)])
def test_never_more_threads_than_cores(
    slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, each: int
) -> None:
    at_work(monkeypatch, count)
    counting = Counting(slot.name, slot.encoder, frozen=True)
    counting.count()
    assert len(encoded(counting, chunks(), tmp_path)) == len(chunks())
    assert set(counting.asked) == {(each, each)}
    assert counting.most == max(1, min(count // 2, crew.MOST))


def test_a_chunk_that_fails_ends_all_and_gives_the_threads_back(
    slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(monkeypatch, 6)
    before, parts, done = torch.get_num_threads(), chunks(), []
    prepare = slot.encoder.prepare

    def failing(items: Sequence[str]) -> object:
        done.append(items)
        if items[0] == parts[2].samples[0].text:
            raise ValueError("a fault")
        return prepare(items)

    monkeypatch.setattr(slot.encoder, "prepare", failing)
    with pytest.raises(ValueError, match="a fault"):
        encoded(slot, parts, tmp_path)
    assert torch.get_num_threads() == before
    assert len(done) < len(parts)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("multitag-ahead")]

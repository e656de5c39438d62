from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import tiny
from multitag.config import Config
from multitag.encoders.transformers_text import TransformersText
from multitag.features import chunks, crew
from multitag.features.batches import batches
from multitag.features.chunks import Chunk
from multitag.features.runtime import Engine
from multitag.features.slots import Slot, make_slot
from multitag.types import Sample

LENGTHS = [5, 1, 3, 5, 2, 1, 4]


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    mask = (torch.arange(5) < torch.tensor(LENGTHS)[:, None]).long()
    return {"input_ids": mask * torch.arange(1, 8)[:, None], "attention_mask": mask}


def test_rows_of_like_length_go_together_without_padding_they_do_not_need(inputs: dict[str, torch.Tensor]) -> None:
    found = [(places.tolist(), batch) for places, batch in batches(inputs, 3)]
    assert [places for places, _ in found] == [[1, 5, 4], [2, 6, 0], [3]]
    assert [batch["attention_mask"].shape[1] for _, batch in found] == [2, 5, 5]
    assert found[0][1]["input_ids"].tolist() == [[2, 0], [6, 0], [5, 5]]
    assert found[0][1]["attention_mask"].tolist() == [[1, 0], [1, 0], [1, 1]]


def test_a_chunk_that_fits_stays_as_it_is(inputs: dict[str, torch.Tensor]) -> None:
    ((places, batch),) = batches(inputs, 7)
    assert places.tolist() == list(range(7))
    assert batch is inputs


def test_without_a_mask_rows_keep_their_order_and_their_width() -> None:
    ids = torch.arange(20).reshape(5, 4)
    found = list(batches({"ids": ids}, 2))
    assert [places.tolist() for places, _ in found] == [[0, 1], [2, 3], [4]]
    assert torch.equal(torch.cat([batch["ids"] for _, batch in found]), ids)


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_batches_say_of_each_text_what_the_encoder_says_of_it_alone(
    models: dict[str, Path], exports: Path, monkeypatch: pytest.MonkeyPatch, tokens: bool, runtime: Engine
) -> None:
    if runtime == "onnx":
        pytest.importorskip("onnxruntime", reason="needs the extra 'onnx'")
    monkeypatch.setitem(chunks.BATCH, "text", 3)
    encoder = TransformersText(model=str(models["bert"]))
    encoder.load()
    slot: Slot = make_slot("text", encoder, Config())
    slot.engine = runtime
    texts = [" ".join([text] * times) for times in (3, 1, 2) for text in tiny.TEXTS]
    rows = [Sample(id=str(row), text=text) for row, text in enumerate(texts)]
    work = crew.Work(slot, exports, tokens, torch.device("cpu"))
    ((_, (pooled, states)),) = crew.encode_chunks(work, [Chunk(rows, texts)], 1)
    assert len(pooled) == len(rows)
    for row, text in enumerate(texts):
        alone = encoder(encoder.prepare([text]), tokens=True)
        np.testing.assert_allclose(pooled[row], alone.pooled[0].detach(), atol=1e-5)
        if tokens:
            assert states is not None
            assert alone.tokens is not None
            np.testing.assert_allclose(states[row], alone.tokens[0].detach(), atol=2e-3)
        else:
            assert states is None

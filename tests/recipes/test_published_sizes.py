"""The models of Bosia et al. (2023) are as large here as they say: their structure is theirs."""

from __future__ import annotations

import pytest
from torch import nn

from multitag.config import Config
from multitag.encoders import ENCODERS
from multitag.heads import HEADS
from multitag.recipes import configure
from multitag.sizes import weight_bytes
from multitag.types import Width

LABELS = 18
RESNET_34 = {
    "model_type": "resnet",
    "layer_type": "basic",
    "embedding_size": 64,
    "depths": [3, 4, 6, 3],
    "hidden_sizes": [64, 128, 256, 512],
}


def megabytes(*parts: nn.Module) -> float:
    return weight_bytes(tensor for part in parts for tensor in part.state_dict().values()) / 1e6


def lstm_size(words: int, *changes: str) -> float:
    """Of the recipe's LSTM with a vocabulary of so many entries, padding and the unknown word among them."""
    config = configure(recipe="bosia2023-lstm", changes=changes)
    section = config.encoders["text"]
    encoder = ENCODERS.build(section.name, section.options)
    encoder.fit([f"w{number}" for number in range(words - 2)])
    return megabytes(encoder, head_of(config, encoder.width))


def head_of(config: Config, width: int) -> nn.Module:
    head: nn.Module = HEADS.build(config.head.name, config.head.options, Width(width, None), LABELS)
    return head


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((), 4.1),
        (("encoders.text.bidirectional=true",), 5.7),
        (("encoders.text.layers=2",), 6.2),
    ],
)
def test_the_lstms_of_table_3(changes, said):
    assert lstm_size(4793, *changes) == pytest.approx(said, abs=0.1)


def test_the_cnn_and_the_ensemble_of_tables_7_and_10():
    config = configure(recipe="bosia2023-cnn-b")
    encoder = ENCODERS.build("transformers_image", {"architecture": RESNET_34})
    encoder.load()
    cnn = megabytes(encoder, head_of(config, encoder.width))
    assert cnn == pytest.approx(90.6, abs=0.1)
    assert cnn + 2 * lstm_size(4793) == pytest.approx(98.7, abs=0.1)

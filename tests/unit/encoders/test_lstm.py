"""The LSTM from scratch: its recurrence by hand, its states, its cut, its size."""

from __future__ import annotations

import pytest
import torch

from multitag.encoders.lstm import Lstm
from multitag.errors import DataError, NotFittedError

TEXTS = ["a dog", "two small birds and a large old cat on the red house near the boat", "cat"]
PLAIN = {"embedding": 3, "hidden": 4, "drop_stop_words": False, "word_form": "as_is"}


def fitted(**options) -> Lstm:
    torch.manual_seed(0)
    encoder = Lstm(**{**PLAIN, **options})
    encoder.fit(TEXTS)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    return encoder.eval()


@torch.no_grad()
def by_hand(encoder: Lstm, words: list[int], layer: int, inputs: list[torch.Tensor], suffix: str = ""):
    """The outputs of one layer and direction, gate by gate."""
    part = {
        name: getattr(encoder.net, f"{name}_l{layer}{suffix}")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    hidden = cell = torch.zeros(encoder.hidden)
    outputs = []
    for x in inputs:
        gates = part["weight_ih"] @ x + part["bias_ih"] + part["weight_hh"] @ hidden + part["bias_hh"]
        i, f, g, o = gates.chunk(4)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        outputs.append(hidden)
    return outputs


@torch.no_grad()
@pytest.mark.parametrize("layers", [1, 2])
def test_the_recurrence_by_hand(layers):
    encoder = fitted(layers=layers)
    encoded = encoder(encoder.prepare(TEXTS), tokens=True)
    for row, text in enumerate(TEXTS):
        words = encoder._fitted().numbers(text.split(), 20)
        outputs = [encoder.words.weight[word] for word in words]
        for layer in range(layers):
            outputs = by_hand(encoder, words, layer, outputs)
        assert encoded.mask[row].sum() == len(words)
        assert torch.allclose(encoded.tokens[row, : len(words)], torch.stack(outputs), atol=1e-6)
        assert torch.allclose(encoded.pooled[row], outputs[-1], atol=1e-6)


@torch.no_grad()
def test_first_and_last_of_both_directions_by_hand():
    encoder, last = fitted(bidirectional=True, state="first_last"), fitted(bidirectional=True)
    assert (encoder.width, last.width, encoder.token_width) == (16, 8, 8)
    for row, text in enumerate(TEXTS):
        words = encoder._fitted().numbers(text.split(), 20)
        vectors = [encoder.words.weight[word] for word in words]
        forward = by_hand(encoder, words, 0, vectors)
        backward = by_hand(encoder, words, 0, vectors[::-1], "_reverse")[::-1]
        expected = torch.cat([forward[0], backward[0], forward[-1], backward[-1]])
        assert torch.allclose(encoder(encoder.prepare(TEXTS)).pooled[row], expected, atol=1e-6)
        assert torch.allclose(last(last.prepare(TEXTS)).pooled[row], expected[8:], atol=1e-6)


def test_only_the_first_words_are_read():
    encoder = fitted(length=3)
    assert torch.equal(encoder.prepare(["a dog and cat boat"])["words"], encoder.prepare(["a dog and"])["words"])


def test_a_text_of_nothing_but_stop_words_is_one_unknown_word():
    encoder = fitted(drop_stop_words=True)
    assert encoder.prepare(["on the and"])["words"].tolist() == encoder.prepare(["zebra"])["words"].tolist() == [[1]]


def test_the_size_is_that_of_seed_003():
    """4793 entries of 128 and four gates of 256 + 128 + 2: 4.0 MB; with its head the paper says 4.1."""
    encoder = Lstm()
    encoder.fit([" ".join(f"w{n}x" for n in range(4791))])
    assert encoder.words.weight.shape == (4793, 128)
    assert sum(p.numel() for p in encoder.parameters()) == 4793 * 128 + 4 * 256 * (256 + 128 + 2)


def test_dropout_is_for_training_only():
    encoder = fitted(dropout=0.5, layers=2)
    inputs = encoder.prepare(TEXTS)
    assert torch.equal(encoder(inputs).pooled, encoder(inputs).pooled)
    encoder.train()
    assert not torch.equal(encoder(inputs).pooled, encoder(inputs).pooled)


def test_an_unknown_word_is_silent_until_trained():
    encoder = Lstm(**PLAIN)
    encoder.fit(TEXTS)
    assert not encoder.words.weight[1].any()
    encoder(encoder.prepare(["zebra a"])).pooled.sum().backward()
    assert encoder.words.weight.grad[1].any()


def test_texts_without_a_word_to_learn_from_are_refused():
    with pytest.raises(DataError, match=r"no word to learn from in 2 training texts.*Fix: lower min_count"):
        Lstm().fit(["on the", "and"])
    with pytest.raises(NotFittedError, match="call fit"):
        Lstm().prepare(["a"])

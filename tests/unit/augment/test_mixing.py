"""Mixed batches by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from multitag.augment import mixing
from multitag.augment.cutmix import Cutmix
from multitag.augment.mixing import mixed, partners
from multitag.augment.mixup import Mixup
from multitag.types import Batch, Encoded

NAN = float("nan")


class Fixed:
    """A generator whose draws are known."""

    def __init__(self, share: float, order: list[int]) -> None:
        self.share, self.order = share, order

    def random(self) -> float:
        return 0.0

    def beta(self, a: float, b: float) -> float:
        return self.share

    def permutation(self, rows):
        return np.asarray(rows)[self.order]

    def integers(self, high: int) -> int:
        return 7


def pair(present: tuple[bool, bool] = (True, True)) -> Batch:
    here = torch.tensor(present)
    return Batch(
        2,
        {"text": Encoded(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))},
        {"image": {"pixels": torch.tensor([0, 200], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 8, 8)[here]}},
        {"image": here, "text": torch.tensor([True, True])},
        torch.tensor([[1.0, 0.0, NAN], [0.0, 0.0, 1.0]]),
    )


def test_mixup_by_hand():
    got = mixed(pair(), Mixup(), ["image"], Fixed(0.75, [1, 0]))
    assert got.inputs["image"]["pixels"][:, 0, 0, 0].tolist() == [50.0, 150.0]
    assert got.encoded["text"].pooled.tolist() == [[1.5, 1.0], [2.5, 3.0]]
    assert got.targets[:, :2].tolist() == [[0.75, 0.0], [0.25, 0.0]]
    assert got.targets[:, 2].isnan().all(), "not known in one of the two, so not known"


def test_how_much_a_row_counts_is_mixed_too():
    batch = pair()
    batch.weights = torch.tensor([1.0, 0.5])
    got = mixed(batch, Mixup(), ["image"], Fixed(0.75, [1, 0]))
    assert got.weights.tolist() == [0.875, 0.625]
    assert mixed(pair(), Mixup(), ["image"], Fixed(0.75, [1, 0])).weights is None


def test_cutmix_counts_what_is_left(monkeypatch):
    class Middle:
        def random(self, count):
            return np.array([0.5, 1.0])

    monkeypatch.setattr(mixing.np.random, "default_rng", lambda seed: Middle())
    got = mixed(pair(), Cutmix(), ["image"], Fixed(0.75, [1, 0]))
    pixels = got.inputs["image"]["pixels"]
    # A quarter of the area: 4 x 4 about the middle of the right side, of which the left half lies within.
    expected = torch.zeros(8, 8)
    expected[2:6, 6:] = 200
    assert torch.equal(pixels[0, 0].float(), expected)
    assert pixels.dtype == torch.uint8
    share = 1 - 8 / 64
    assert got.targets[:, 0].tolist() == pytest.approx([share, 1 - share])
    assert got.encoded["text"].pooled[0].tolist() == pytest.approx([share + 3 * (1 - share), 4 * (1 - share)])


def test_rows_with_and_without_a_picture_are_not_mixed():
    got = mixed(pair((True, False)), Mixup(), ["image"], Fixed(0.5, [0]))
    assert got.targets[:, 0].tolist() == [1.0, 0.0]
    assert got.inputs["image"]["pixels"].unique().tolist() == [0]


def test_partners_share_their_modalities_and_all_rows_serve_once():
    present = {"image": torch.arange(20) % 3 == 0, "text": torch.arange(20) % 2 == 0}
    partner = partners(Batch(20, {}, {}, present), np.random.default_rng(0))
    assert sorted(partner.tolist()) == list(range(20))
    for here in present.values():
        assert torch.equal(here, here[partner])
    assert (partner != torch.arange(20)).any()


def test_a_picture_is_mixed_with_its_partners_picture_past_rows_without_one():
    """Pixels are numbered among the rows that have a picture."""
    present = torch.tensor([False, True, False, True])
    pixels = torch.tensor([10.0, 30.0]).view(2, 1, 1, 1)
    batch = Batch(4, {}, {"image": {"pixels": pixels}}, {"image": present}, torch.zeros(4, 1))
    got = mixed(batch, Mixup(), ["image"], Fixed(0.9, [1, 0]))
    assert got.inputs["image"]["pixels"].flatten().tolist() == pytest.approx([12.0, 28.0])


def test_tokens_are_mixed_where_both_rows_have_one():
    tokens = torch.tensor([[[1.0], [2.0]], [[5.0], [0.0]]])
    mask = torch.tensor([[True, True], [True, False]])
    batch = Batch(2, {"text": Encoded(torch.zeros(2, 1), tokens, mask)}, {}, {"text": torch.tensor([True, True])})
    got = mixed(batch, Mixup(), [], Fixed(0.75, [1, 0])).encoded["text"]
    assert got.tokens.flatten(1).tolist() == [[2.0, 2.0], [4.0, 2.0]]
    assert got.mask.all()


def test_a_batch_whose_rows_all_lack_pictures_is_mixed_by_what_was_drawn():
    batch = pair((False, False))
    batch.inputs["image"] = {}
    assert mixed(batch, Cutmix(), ["image"], Fixed(0.75, [1, 0])).targets[0, 0] == 0.75

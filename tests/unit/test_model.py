"""The model: what is missing is learned, what is frozen stays outside, batches change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import tiny
from fakes import Colours, MeanOfTokens, Words, rows_of, slot
from multitag import inference
from multitag import model as model_module
from multitag.config import Component, Config
from multitag.errors import ConfigError
from multitag.features import units as units_module
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.store import FeatureStore
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.inference import predict_logits
from multitag.losses.bce import BCE
from multitag.model import Model, build_model
from multitag.types import Batch, Encoded, Sample, Width

WIDTHS = {"image": 3, "text": 2}


@pytest.fixture
def store(tmp_path):
    with FeatureStore(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def samples(tmp_path):
    """Twelve rows with all kinds of things missing, first and last row without anything."""
    words = ["ab cd", "xy", "pq rs tu vw", "zz aa"]
    rows = []
    for number in range(12):
        file = tmp_path / f"{number}.png"
        tiny.picture(number).save(file)
        kind = (0, 3, 1, 2)[number % 4] if number < 11 else 0
        rows.append(
            Sample(
                str(number),
                file if kind & 1 else None,
                f"{words[number % 4]} {chr(97 + number) * 2}" if kind & 2 else None,
            )
        )
    return rows


def make(fusion="sum", head="linear", *, frozen=True, only=None, dropout=0.0, seed=0):
    torch.manual_seed(seed)
    slots = {"image": slot(Colours(), frozen=frozen), "text": slot(Words(), frozen=frozen)}
    slots = {name: s for name, s in slots.items() if only in (None, name)}
    built = FUSIONS.build(fusion, {}, {name: Width(s.encoder.width) for name, s in slots.items()})
    heads = {name: HEADS.build(head, {}, width, 4) for name, width in built.branches.items()}
    for each in heads.values():
        if each.reads_names:
            each.take_names(torch.randn(4, each.width.pooled))
    return Model(slots, built, heads, modality_dropout=dropout), slots


def feed(store, samples, slots, **more):
    rows = rows_of(samples)
    fill(store, slots, rows)
    return Feeder(rows, slots, store, **more)


def reads_vectors(fusion: str) -> bool:
    """Those that read tokens are tested in fusions/test_tokens_within_a_model.py."""
    return fusion != "single" and FUSIONS.get(fusion).needs == "pooled"


VARIANTS = [
    *(
        (fusion, "linear", frozen, None)
        for fusion in FUSIONS.names()
        if reads_vectors(fusion)
        for frozen in (True, False)
    ),
    *(("sum", head, True, None) for head in HEADS.names() if HEADS.get(head).needs == "pooled"),
    *(("single", "linear", frozen, only) for frozen in (True, False) for only in ("image", "text")),
]


@pytest.fixture(params=VARIANTS, ids=str)
def variant(request):
    fusion, head, frozen, only = request.param
    return {"fusion": fusion, "head": head, "frozen": frozen, "only": only}


def test_every_row_gets_a_prediction_and_batches_change_nothing(store, samples, variant, monkeypatch):
    model, slots = make(**variant)
    feeder = feed(store, samples, slots)
    model.fit_scales(feeder)
    whole = predict_logits(model, feeder, 4)
    assert whole.shape == (12, 4)
    assert np.isfinite(whole).all()
    assert np.array_equal(whole[0], whole[11]), "two rows without anything are alike"
    for size in (1, 5):
        monkeypatch.setattr(inference, "BATCH_ROWS", size)
        monkeypatch.setattr(inference, "LIVE_BATCH_ROWS", size)
        assert predict_logits(model, feeder, 4) == pytest.approx(whole, abs=1e-5)
    order = [7, 3, 11, 0, 5, 1, 2, 10, 4, 9, 8, 6]
    moved = Feeder(rows_of(samples).take(order), slots, store)
    assert predict_logits(model, moved, 4) == pytest.approx(whole[order], abs=1e-5)


def test_predicting_leaves_the_mode_and_no_rows_are_no_logits(store, samples):
    model, slots = make(dropout=0.9)
    model.train()
    first = predict_logits(model, feed(store, samples, slots), 4)
    assert model.training
    assert np.array_equal(first, predict_logits(model, feed(store, samples, slots), 4)), "dropout was on"
    assert predict_logits(model, feed(store, [], slots), 4).shape == (0, 4)


@pytest.mark.parametrize(("rows", "frozen", "used"), [(8, True, 1), (9, True, 2), (8, False, 2)])
def test_few_rows_are_answered_by_one_thread_and_the_others_come_back(store, samples, rows, frozen, used):
    model, slots = make(frozen=frozen)
    feeder, seen = feed(store, samples[:rows], slots), []
    model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        predict_logits(model, feeder, 4)
        assert (seen[0], torch.get_num_threads()) == (used, 2)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("precision", ["auto", "bfloat16"])
@pytest.mark.parametrize(
    ("frozen", "units", "expected"),
    [(False, True, torch.bfloat16), (False, False, torch.float32), (True, True, torch.float32)],
)
def test_encoders_that_train_predict_in_the_precision_they_trained_in_where_it_is_fast(
    store, samples, monkeypatch, precision, frozen, units, expected
):
    monkeypatch.setattr(units_module, "has_bfloat16", lambda: units)
    monkeypatch.setattr(model_module, "has_bfloat16", lambda: units)
    model, slots = make(frozen=frozen)
    feeder = feed(store, samples, slots)
    model.fit_scales(feeder)
    exact, seen = predict_logits(model, feeder, 4), []
    model.precision = precision
    model.register_forward_hook(lambda module, given, logits: seen.append(logits.dtype))
    found = predict_logits(model, feeder, 4)
    assert set(seen) == {expected}
    assert found == pytest.approx(exact, rel=2e-2, abs=2e-2)
    assert np.array_equal(found, exact) == (expected == torch.float32)


def test_a_model_has_its_configurations_precision(store):
    slots = {"text": slot(Words(), frozen=False)}
    config = Config.model_validate(
        {"encoders": {"text": {"name": "lstm", "frozen": False}}, "fusion": {"name": "single"}}
        | {"train": {"precision": "bfloat16"}}
    )
    assert build_model(config, slots, 4).precision == "bfloat16"


def test_frozen_and_live_encoders_give_the_same(store, samples):
    frozen, slots = make(frozen=True)
    live, live_slots = make(frozen=False)
    first = predict_logits(frozen, feed(store, samples, slots), 4)
    assert predict_logits(live, feed(store, samples, live_slots), 4) == pytest.approx(first, abs=1e-6)


def test_only_what_is_trained_is_part_of_the_state(store, samples, variant):
    model, slots = make(**variant)
    assert any(key.startswith("encoders.") for key in model.state_dict()) is not variant["frozen"]
    model.fit_scales(feed(store, samples, slots))
    other, _ = make(**{**variant, "seed": 1})
    other.load_state_dict(model.state_dict())
    feeder = feed(store, samples, slots)
    assert np.array_equal(predict_logits(other, feeder, 4), predict_logits(model, feeder, 4))


def test_the_gradient_reaches_everything_that_trains(store, samples, variant):
    model, slots = make(**variant)
    targets = np.tile(np.eye(4, dtype=np.float32), (3, 1))
    feeder = feed(store, samples, slots, targets=targets)
    model.fit_scales(feeder)
    torch.manual_seed(0)
    for parameter in (m.pooled for m in model.missing.values()):
        parameter.data.normal_()
    batch = feeder.batch(range(12))
    model.train()
    BCE()(model(batch), batch.targets).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_a_batch_in_which_nobody_has_the_modality_trains(store, samples):
    model, slots = make(frozen=False)
    batch = feed(store, samples, slots).batch([0, 11])
    assert batch.inputs == {"image": {}, "text": {}}
    model(batch).sum().backward()
    assert model.missing["image"].pooled.grad.any()


def test_a_missing_row_gets_the_learned_vector_after_standardisation(store, samples):
    model, slots = make("single", only="text")
    feeder = feed(store, samples, slots)
    model.fit_scales(feeder)
    model.missing["text"].pooled.data = torch.tensor([0.5, -2.0])
    head = model.heads["text"].out
    expected = head.weight @ torch.tensor([0.5, -2.0]) + head.bias
    assert predict_logits(model, feeder, 4)[0] == pytest.approx(expected.detach().numpy(), abs=1e-6)


@pytest.mark.parametrize("frozen", [True, False])
def test_scales_come_from_the_rows_that_have_the_modality(store, samples, frozen):
    model, slots = make(frozen=frozen)
    feeder = feed(store, samples, slots)
    model.fit_scales(feeder)
    means = np.stack([np.asarray(tiny.picture(n), np.float32).mean((0, 1)) for n, s in enumerate(samples) if s.image])
    assert model.standardize["image"].mean.numpy() == pytest.approx(means.mean(0), rel=1e-5)
    assert (1 / model.standardize["image"].scale).numpy() == pytest.approx(means.std(0), rel=1e-4)


def test_an_encoder_whose_scale_means_something_keeps_it(store, samples):
    model, slots = make()
    slots["text"].encoder.standardized = False
    model.fit_scales(feed(store, samples, slots))
    assert torch.equal(model.standardize["text"].scale, torch.ones(2))
    assert not torch.equal(model.standardize["image"].scale, torch.ones(3))


def test_scales_of_a_modality_that_no_row_has_stay_as_they_are(store):
    model, slots = make()
    model.fit_scales(feed(store, [Sample("a", text="ab"), Sample("b", text="cd ef")], slots))
    assert torch.equal(model.standardize["image"].scale, torch.ones(3))


def drop_batch(kinds: list[int]) -> Batch:
    """Rows that have a picture (1), a text (2), both (3) or nothing (0)."""
    has = torch.tensor(kinds)
    size = len(kinds)
    return Batch(
        size,
        {name: Encoded(torch.ones(size, width)) for name, width in WIDTHS.items()},
        {},
        {"image": (has & 1).bool(), "text": (has & 2).bool()},
    )


def test_modality_dropout_drops_its_share_and_never_all_of_a_row():
    model, _ = make(dropout=0.4)
    batch = drop_batch([0, 1, 2] * 5 + [3] * 10)
    torch.manual_seed(0)
    lost = torch.zeros(2)
    for _ in range(4000):
        left = model._drop(batch)
        before, after = (torch.stack([p["image"], p["text"]]) for p in (batch.present, left))
        assert not (after & ~before).any(), "nothing is made up"
        assert torch.equal(after.any(0), before.any(0)), "no row loses everything"
        assert torch.equal(after[:, :15], before[:, :15]), "a row with one modality keeps it"
        assert (after[:, 15:] == after[:, 15:16]).all(), "the others lose the same"
        lost += ~after[:, 15]
    assert (lost / 4000).tolist() == pytest.approx([0.2, 0.2], abs=0.02)


def test_a_batch_that_lacks_nothing_sends_no_gradient_back_to_what_stands_for_the_missing():
    model, _ = make(dropout=0.0)
    model.train()(drop_batch([3] * 6)).sum().backward()
    assert all(vector.grad is None for missing in model.missing.values() for vector in missing.parameters())
    model(drop_batch([3, 3, 1])).sum().backward()
    assert model.missing["text"].pooled.grad.abs().sum() > 0
    assert model.missing["image"].pooled.grad is None


@pytest.mark.parametrize(("lost", "kept"), [("image", "text"), ("text", "image")])
def test_an_encoder_does_not_run_where_dropout_takes_its_modality_from_all(lost, kept, store, samples, monkeypatch):
    model, slots = make(frozen=False, dropout=0.5)
    full = [sample for sample in samples if sample.image is not None and sample.text is not None]
    batch = feed(store, full, slots).batch(range(len(full)))
    left = {lost: torch.zeros(len(full), dtype=torch.bool), kept: batch.present[kept]}
    without = replace(batch, inputs={lost: {}, kept: batch.inputs[kept]}, present=left)
    expected = model.eval()(without)
    monkeypatch.setattr(model, "_drop", lambda batch: left)
    monkeypatch.setattr(model.encoders[lost], "forward", lambda *given, **more: pytest.fail("it ran"))
    assert torch.equal(model.train()(batch), expected)


def test_modality_dropout_takes_all_encoders_of_a_modality_together():
    slots = {"photo": slot(Colours()), "drawing": slot(Colours()), "text": slot(Words())}
    fusion = FUSIONS.build("sum", {}, {name: Width(s.encoder.width) for name, s in slots.items()})
    heads = {name: HEADS.build("linear", {}, width, 1) for name, width in fusion.branches.items()}
    model = Model(slots, fusion, heads, modality_dropout=0.9)
    torch.manual_seed(0)
    present = {name: torch.ones(500, dtype=torch.bool) for name in slots}
    found = [model._drop(Batch(500, {}, {}, present)) for _ in range(100)]
    assert all(torch.equal(left["photo"], left["drawing"]) for left in found)
    assert all((left["photo"] | left["text"]).all() for left in found)
    assert not all(left["photo"].all() for left in found)
    assert not all(left["text"].all() for left in found)


def test_modality_dropout_is_for_training_and_for_two_modalities():
    model, _ = make(dropout=0.9)
    batch = drop_batch([3] * 50)
    whole = model.eval()(batch)
    assert torch.equal(whole[0].expand(50, 4), whole)
    torch.manual_seed(0)
    model.train()
    assert len(torch.stack([model(batch)[0] for _ in range(20)]).unique(dim=0)) > 1
    single, _ = make("single", only="text", dropout=0.9)
    assert single._drop(Batch(2, {}, {}, {"text": torch.tensor([True, False])}))["text"].tolist() == [True, False]


def test_the_same_seed_builds_and_runs_the_same(variant, store, samples):
    def trained():
        model, slots = make(**variant, dropout=0.5)
        torch.manual_seed(5)
        return model.train()(feed(store, samples, slots).batch(range(12))).detach()

    assert torch.equal(trained(), trained())


@pytest.mark.parametrize(("storable", "frozen"), [(True, True), (False, True), (True, False)])
def test_a_fusion_may_read_tokens(store, samples, storable, frozen, monkeypatch):
    slots = {"text": slot(Words(storable=storable), frozen=frozen)}
    fusion = MeanOfTokens({"text": Width(2, 2)})
    model = Model(slots, fusion, {"joined": HEADS.build("linear", {}, Width(2), 4)})
    model.missing["text"].token.data = torch.tensor([0.5, -2.0])
    rows = rows_of(samples)
    fill(store, slots, rows, tokens=slots)
    feeder = Feeder(rows, slots, store, tokens=slots)
    head = model.heads["joined"].out
    expected = []
    for sample in samples:
        letters = [[ord(w[0]) - 96, ord(w[1]) - 96] for w in (sample.text or "").split()] or [[0.5, -2.0]]
        expected.append((head.weight @ torch.tensor(letters).float().mean(0) + head.bias).tolist())
    for size in (12, 1, 5):
        monkeypatch.setattr(inference, "BATCH_ROWS", size)
        monkeypatch.setattr(inference, "LIVE_BATCH_ROWS", size)
        assert predict_logits(model, feeder, 4) == pytest.approx(np.array(expected), abs=1e-4)


def test_a_fusion_that_reads_tokens_refuses_an_encoder_without(monkeypatch):
    monkeypatch.setitem(FUSIONS.table, "tokens", "fakes:MeanOfTokens")
    config = Config().model_copy(update={"fusion": Component(name="tokens")})
    with pytest.raises(ConfigError, match="fusion 'tokens' reads tokens, and these encoders have none: image"):
        build_model(config, {"image": slot(Colours()), "text": slot(Words())}, 4)
    assert build_model(config, {"text": slot(Words())}, 4).reads_tokens


TOKEN_HEADS = [name for name in HEADS.names() if HEADS.get(name).needs == "tokens"]


@pytest.mark.parametrize("fusion", ["single", "sum", "concat", "mixed"])
@pytest.mark.parametrize("head", TOKEN_HEADS)
@pytest.mark.parametrize("frozen", [True, False])
def test_a_head_may_read_tokens(store, samples, fusion, head, frozen, monkeypatch):
    slots = {name: slot(Words(), frozen=frozen) for name in ("text", "again")[: 1 if fusion == "single" else 2]}
    config = Config().model_copy(update={"fusion": Component(name=fusion), "head": Component(name=head)})
    torch.manual_seed(0)
    model = build_model(config, slots, 4)
    assert model.reads_tokens
    rows = rows_of(samples)
    fill(store, slots, rows, tokens=slots)
    feeder = Feeder(rows, slots, store, tokens=slots, targets=np.tile(np.eye(4, dtype=np.float32), (3, 1)))
    model.fit_scales(feeder)
    whole = predict_logits(model, feeder, 4)
    assert np.isfinite(whole).all()
    assert np.array_equal(whole[0], whole[11]), "two rows without anything are alike"
    for size in (1, 5):
        monkeypatch.setattr(inference, "BATCH_ROWS", size)
        monkeypatch.setattr(inference, "LIVE_BATCH_ROWS", size)
        assert predict_logits(model, feeder, 4) == pytest.approx(whole, abs=1e-5)
    batch = feeder.batch(range(12))
    BCE()(model.train()(batch), batch.targets).backward()
    unread = {f"missing.{name}.pooled" for name in slots}
    assert {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()} <= unread


@pytest.mark.parametrize("fusion", ["sum", "concat", "mixed"])
@pytest.mark.parametrize("head", TOKEN_HEADS)
def test_a_head_that_reads_tokens_refuses_an_encoder_without(fusion, head):
    config = Config().model_copy(update={"fusion": Component(name=fusion), "head": Component(name=head)})
    with pytest.raises(ConfigError, match=f"head '{head}' reads tokens, and these encoders have none: image"):
        build_model(config, {"image": slot(Colours()), "text": slot(Words())}, 4)

"""``"auto"`` precisions mean what the machine is good at, and a run keeps which it was."""

from __future__ import annotations

import pytest
import torch

from multitag.config import Config
from multitag.features import units
from multitag.features.units import has_bfloat16, settle_precision
from multitag.training.accelerator import make_accelerator


@pytest.fixture
def on_processor(monkeypatch):
    def machine(**capabilities):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)

    return machine


def settled(**store):
    return settle_precision(Config.parse({"store": {"precision": "auto", **store}})).store.precision


def test_bfloat16_where_the_processor_has_matrix_units_for_it(on_processor):
    on_processor(amx_bf16=True)
    assert has_bfloat16()
    on_processor(avx512_bf16=True)
    assert not has_bfloat16()


def test_features_are_of_bfloat16_where_units_and_packages_are_there(on_processor, monkeypatch):
    monkeypatch.setattr(units, "onnx_installed", lambda: True)
    monkeypatch.setattr(units, "find_spec", lambda name: name)
    on_processor(amx_bf16=True)
    assert settled() == "bfloat16"
    assert settled(runtime="torch") == "float32"  # only OpenVINO runs it on a processor
    on_processor()
    assert settled() == "float32"
    on_processor(amx_bf16=True)
    monkeypatch.setattr(units, "find_spec", lambda name: None)
    assert settled() == "float32"


def test_a_precision_that_is_named_stays(on_processor):
    on_processor(amx_bf16=True)
    for named in ("float32", "bfloat16", "int8"):
        config = Config.parse({"store": {"precision": named}})
        assert settle_precision(config) is config


def test_training_takes_what_the_machine_is_good_at(on_processor):
    on_processor(amx_bf16=True)
    assert make_accelerator("auto").mixed_precision == "bf16"
    on_processor()
    assert make_accelerator("auto").mixed_precision == "no"

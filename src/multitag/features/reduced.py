"""Frozen encoders in fewer bits, through OpenVINO: faster on processors that have units for it, and less exact.

On the processor that docs/performance.md was measured on, bfloat16 takes half the time or less; vectors differ from
float32's by cosines of .998 and more. Features of each precision have a fingerprint of their own: they never mix.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from multitag.config import Precision
from multitag.data.bundled import bundled_path
from multitag.data.csv import CsvFile
from multitag.data.images import load_image
from multitag.encoders import Encoder, Inputs
from multitag.errors import ConfigError, DataWarning
from multitag.features.runtime import AGREEMENT, Run, agreement, exported, in_torch, onnx_installed, quiet
from multitag.types import Encoded, Modality

LEAST = {"float32": AGREEMENT, "bfloat16": 0.99, "int8": 0.9}
"""The least cosine to torch's float32 vectors that is taken for rounding, not for a fault."""
CALIBRATION_ITEMS = 128

Prepare = Callable[[Sequence[Any]], Inputs]
"""Pictures or texts as an encoder takes them."""


def fingerprint_of(fingerprint: str, precision: Precision) -> str:
    """An encoder's fingerprint under a precision; float32 goes without saying."""
    return fingerprint if precision == "float32" else hashlib.sha256(f"{fingerprint} {precision}".encode()).hexdigest()


def require_openvino(precision: Precision) -> None:
    """Raise where this precision cannot run on this machine's processor.

    Raises:
        ConfigError: A package is missing.
    """
    needed = ("openvino", "nncf") if precision == "int8" else ("openvino",)
    if not onnx_installed() or any(find_spec(name) is None for name in needed):
        asked = "runtime = 'openvino'" if precision == "float32" else f"precision = '{precision}'"
        raise ConfigError(
            f"[store] {asked} needs packages on a processor. Fix: pip install 'multitag[onnx,openvino]', "
            "or take --set store.precision=float32 --set store.runtime=auto"
        )


class Crew(NamedTuple):
    """How many threads a call computes with, and how many calls there are at a time."""

    threads: int
    at_once: int


def in_openvino(
    encoder: Encoder,
    fingerprint: str,
    sample: Inputs,
    folder: Path,
    precision: Precision,
    crew: Crew,
    *,
    tokens: bool,
    prepare: Prepare | None = None,
) -> Run:
    """Run an encoder through OpenVINO.

    For int8, activations are given their ranges by pictures and titles that come with the package, so that the same
    weights make the same network everywhere; it is kept in `folder`.

    Args:
        encoder: The encoder, frozen.
        fingerprint: Its fingerprint in float32, which names the files.
        sample: Prepared inputs of two rows or more, to export with and to compare on.
        folder: Where exported files are kept.
        precision: What it computes in.
        crew: The threads.
        tokens: Whether tokens are wanted too.
        prepare: Makes pictures or texts what the encoder takes; its own `prepare` where it is not given.

    Raises:
        ConfigError: A package is missing; or the network cannot run so, or says something else: nobody who asked for
            features of one precision gets those of another.
    """
    require_openvino(precision)
    try:
        path = exported(encoder, fingerprint, sample, folder, tokens=tokens)
        run = _compiled(encoder, path, precision, crew, prepare or encoder.prepare)
        cosine = agreement(in_torch(encoder, tokens=tokens)(sample), run(sample))
        why = f"its vectors are others, cosine {cosine:.3f} to float32's" if cosine < LEAST[precision] else None
    except Exception as error:  # whatever an exporter, a quantiser or a runtime may raise
        why = f"{type(error).__name__}: {str(error)[:200]}"
    if why is not None:
        raise ConfigError(
            f"[store] precision = '{precision}' through OpenVINO: {type(encoder).__name__} cannot run so ({why}). "
            "Fix: --set store.precision=float32 --set store.runtime=auto"
        )
    return run


@cache
def _core() -> Any:
    """OpenVINO, one for the process and never let go: what it compiled needs its libraries as long as it is there."""
    import openvino

    return openvino.Core()


def _compiled(encoder: Encoder, path: Path, precision: Precision, crew: Crew, prepare: Prepare) -> Run:
    core = _core()
    if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        warnings.warn(
            "this processor has no units for bfloat16: OpenVINO computes in float32, no faster",
            DataWarning,
            stacklevel=2,
        )
    network = core.read_model(_quantized(encoder, core, path, prepare) if precision == "int8" else path)
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
        "INFERENCE_NUM_THREADS": crew.threads * crew.at_once,
        "NUM_STREAMS": crew.at_once,
    }
    compiled = core.compile_model(network, "CPU", settings)
    names = [entry.get_any_name() for entry in compiled.inputs]
    own = threading.local()

    def run(inputs: Inputs) -> Encoded:
        if not hasattr(own, "request"):
            own.request = compiled.create_infer_request()
        own.request.infer({name: inputs[name].contiguous().numpy() for name in names})
        # Copied: the request writes its next answer to the same place.
        pooled, *rest = (torch.from_numpy(np.array(tensor.data)) for tensor in own.request.output_tensors)
        return Encoded(pooled, *rest)

    return run


def _quantized(encoder: Encoder, core: Any, path: Path, prepare: Prepare) -> Path:
    """The int8 network beside the exported one, made where it is not there."""
    found = path.with_suffix(".int8.xml")
    if not found.is_file():
        os.environ.setdefault("NNCF_CI", "1")  # the library reports its use to its makers otherwise
        import nncf
        import openvino

        nncf.set_log_level(logging.ERROR)
        network = core.read_model(path)
        names = [entry.get_any_name() for entry in network.inputs]
        batches = [{key: inputs[key].numpy() for key in names} for inputs in _calibration(encoder.modality, prepare)]
        with quiet():
            small = nncf.quantize(
                network,
                nncf.Dataset(batches),
                model_type=nncf.ModelType.TRANSFORMER if encoder.modality == "text" else None,
                subset_size=len(batches),
            )
        temporary = found.with_name(f".{path.stem}.{os.getpid()}.xml")
        openvino.save_model(small, temporary, compress_to_fp16=False)
        os.replace(temporary.with_suffix(".bin"), found.with_suffix(".bin"))
        os.replace(temporary, found)
    return found


def _calibration(modality: Modality, prepare: Prepare) -> Iterator[Inputs]:
    folder = bundled_path()
    if modality == "image":
        for path in sorted((folder / "images").iterdir())[:CALIBRATION_ITEMS]:
            yield prepare([load_image(path)])
        return
    chunk = next(CsvFile.open(folder / "train.csv").chunks())
    for title in list(chunk.columns["caption"])[:CALIBRATION_ITEMS]:
        yield prepare([title])

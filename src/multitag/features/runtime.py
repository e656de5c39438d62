"""How a frozen encoder runs: in torch, or several times faster on a processor through ONNX Runtime.

The ONNX file is exported on first use, checked against torch, and kept by the encoder's fingerprint; another version
of either runtime checks it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from multitag.encoders import Encoder, Inputs
from multitag.errors import DataWarning
from multitag.types import Encoded

Run = Callable[[Inputs], Encoded]
Engine = Literal["torch", "onnx", "openvino", "compiled"]
EXPORTED: tuple[Engine, ...] = ("onnx", "openvino")

AGREEMENT = 0.9999
"""The least cosine between what torch and ONNX Runtime say of a row; below it torch is used."""


def onnx_installed() -> bool:
    """Whether the `onnx` extra is there."""
    return all(find_spec(name) is not None for name in ("onnx", "onnxscript", "onnxruntime"))


def in_torch(encoder: Encoder, *, tokens: bool) -> Run:
    """Run an encoder as it is."""

    def run(inputs: Inputs) -> Encoded:
        with torch.inference_mode():
            encoded: Encoded = encoder(inputs, tokens=tokens)
        return encoded

    return run


def in_onnx(
    encoder: Encoder, fingerprint: str, sample: Inputs, folder: Path, *, tokens: bool, threads: int | None = None
) -> Run:
    """Run an encoder through ONNX Runtime, exporting it first where `folder` has no file of it.

    Where the two disagree, or the network cannot be exported, torch it is, with a warning. What has agreed once is not
    compared again: that takes tenths of a second, of each command.

    Args:
        encoder: The encoder, frozen.
        fingerprint: Its fingerprint, which names the file.
        sample: Prepared inputs of two rows or more, to export with and to compare on.
        folder: Where exported files are kept.
        tokens: Whether tokens are wanted too.
        threads: How many it computes with; as many as torch has where it is not said.
    """
    try:
        path = exported(encoder, fingerprint, sample, folder, tokens=tokens)
        run = _session(path, threads or torch.get_num_threads())
        checked, now = path.with_suffix(".agrees"), _what_agrees(path)
        if checked.is_file() and checked.read_text("ascii", errors="replace") == now:
            return run
        expected, got = in_torch(encoder, tokens=tokens)(sample), run(sample)
    except Exception as error:  # whatever an exporter or a runtime may raise: torch always works
        return fall_back(encoder, "ONNX Runtime", f"{type(error).__name__}: {str(error)[:200]}", tokens=tokens)
    cosine = agreement(expected, got)
    if cosine < AGREEMENT:
        return fall_back(
            encoder, "ONNX Runtime", f"its vectors differ from torch's, cosine {cosine:.5f}", tokens=tokens
        )
    with contextlib.suppress(OSError):  # a folder that cannot be written: it is checked again next time
        checked.write_text(now, "ascii")
    return run


def _what_agrees(path: Path) -> str:
    """The file's content and the runtimes that were compared on it."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{content} onnxruntime {version('onnxruntime')} torch {torch.__version__}\n"


def agreement(expected: Encoded, got: Encoded) -> float:
    """The least cosine between two sets of pooled vectors."""
    return float(torch.cosine_similarity(expected.pooled.float(), got.pooled.float()).min())


def exported(encoder: Encoder, fingerprint: str, sample: Inputs, folder: Path, *, tokens: bool) -> Path:
    """The encoder's ONNX file, exported where `folder` has none; arguments as of `in_onnx`."""
    path = folder / f"{fingerprint[:32]}-{'tokens' if tokens else 'pooled'}.onnx"
    if not path.is_file():
        _export(encoder, sample, path, tokens=tokens)
    return path


def fall_back(encoder: Encoder, engine: str, why: str, *, tokens: bool) -> Run:
    """Run an encoder as it is, and warn why its engine cannot be used."""
    name = type(encoder).__name__
    warnings.warn(f"{name} runs in torch, slower: {engine} cannot be used for it ({why})", DataWarning, stacklevel=2)
    return in_torch(encoder, tokens=tokens)


class Flat(nn.Module):
    """An encoder with tensors in and tensors out, as exporters and compilers want it."""

    def __init__(self, encoder: Encoder, names: list[str], *, tokens: bool) -> None:
        super().__init__()
        self.encoder, self.names, self.tokens = encoder, names, tokens

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """pooled (B, D); tokens (B, T, D') and mask (B, T) where asked for."""
        encoded = self.encoder(dict(zip(self.names, tensors, strict=True)), tokens=self.tokens)
        if encoded.tokens is None or encoded.mask is None:
            return (encoded.pooled,)
        return encoded.pooled, encoded.tokens, encoded.mask


def _export(encoder: Encoder, sample: Inputs, path: Path, *, tokens: bool) -> None:
    names = sorted(sample)
    dynamic = torch.export.Dim.DYNAMIC
    # Texts vary in length; the sides of prepared pictures do not.
    axes = {0: dynamic, 1: dynamic} if encoder.modality == "text" else {0: dynamic}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.onnx")
    with quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            Flat(encoder, names, tokens=tokens).eval(),
            tuple(sample[name] for name in names),
            input_names=names,
            dynamo=True,
            verbose=False,
            dynamic_shapes=(tuple(dict(axes) for _ in names),),
        )
        program.save(str(temporary), external_data=False)
    os.replace(temporary, path)


def _session(path: Path, threads: int) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that spin while they wait take the processor from those that decode pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    taken = [entry.name for entry in session.get_inputs()]

    def run(inputs: Inputs) -> Encoded:
        feeds = {name: inputs[name].contiguous().numpy() for name in taken}
        pooled, *rest = (torch.from_numpy(array) for array in session.run(None, feeds))
        return Encoded(pooled, *rest)

    return run


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what exporters write to logs, warnings and standard output, where commands' JSON goes."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

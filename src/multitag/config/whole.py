"""One configuration a run: read from TOML, checked as a whole, all faults together, written back whole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import Field
from torch.nn import ModuleDict

from multitag.config.augment import AugmentConfig
from multitag.config.base import Component, Section
from multitag.config.changes import changed_values
from multitag.config.ensemble import EnsembleConfig
from multitag.config.faults import validated
from multitag.config.joint import JointConfig
from multitag.config.pseudo import PseudoConfig
from multitag.config.span_checks import span_faults, span_head_faults
from multitag.config.train import AUTO_FOLDS, AUTO_ROWS, TrainConfig
from multitag.data.images import MAX_PIXELS
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError, faults_message
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.metrics import METRICS, SPAN_METRICS
from multitag.optim import HEADS_PART
from multitag.registry import Registry
from multitag.spans import SPAN_DECODERS

Share = Annotated[float, Field(gt=0, lt=1)]
Runtime = Literal["auto", "torch", "onnx"]


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

    On a processor, frozen encoders run through ONNX Runtime (``"auto"``: where the `onnx` extra is installed).
    """

    path: str = "auto"
    runtime: Runtime = "auto"


class RecipeConfig(Section):
    """The header of a recipe: where a system comes from, what it reported, and what we do otherwise."""

    title: str
    source: str
    data: str = ""
    metric: str = ""
    reported: str = ""
    ours: str = ""
    differences: tuple[str, ...] = ()


def _default_encoders() -> dict[str, EncoderConfig]:
    return {"image": EncoderConfig(name="efficientnet_lite"), "text": EncoderConfig(name="transformers_text")}


class Config(Section):
    """All settings of a run. `Config()` is the default: packaged frozen encoders, late fusion, one hidden layer."""

    seed: int = 0
    task: Literal["labels", "spans"] = "labels"
    recipe: RecipeConfig | None = None
    data: DataConfig = DataConfig()
    encoders: dict[str, EncoderConfig] = Field(default_factory=_default_encoders, min_length=1)
    augment: AugmentConfig = AugmentConfig()
    fusion: Component = Component(name="sum")
    head: Component = Component(name="mlp")
    loss: Component = Component(name="bce", smoothing=0.1)  # type: ignore[call-arg]
    train: TrainConfig = TrainConfig()
    pseudo: PseudoConfig | None = None
    joint: JointConfig | None = None
    calibration: Component = Component(name="per_label")
    decision: DecisionConfig = DecisionConfig(name="expected_f1")
    decoder: Component | None = None
    store: StoreConfig = StoreConfig()
    ensemble: EnsembleConfig | None = None

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Config:
        """A checked configuration, every option of every component resolved to a value.

        Raises:
            ConfigError: All faults together.
        """
        config, faults = cls._checked(values)
        return config._or_raise(faults)

    @classmethod
    def _checked(cls, values: Mapping[str, Any]) -> tuple[Config, list[str]]:
        """The configuration of the values, resolved, and all that is wrong with them."""
        config, faults = validated(cls, values)
        resolved, more = config._resolve()
        return resolved, [*faults, *more]

    @classmethod
    def read(cls, path: str | Path, changes: Iterable[str] = ()) -> Config:
        """A configuration from a TOML file, with changes of the form ``"train.lr=1e-3"`` made to it.

        Raises:
            ConfigError: The file is missing or no TOML, or the configuration is not valid.
        """
        file = Path(path)
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(f"the configuration {file} does not exist") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file} is not valid TOML: {error}") from error
        return cls.parse(changed_values(values, changes))

    def changed(self, changes: Iterable[str]) -> Config:
        """This configuration with changes of the form ``"fusion.name=concat"`` made to it.

        Another component name drops the old component's options. The value is TOML, or a string as it stands.

        Raises:
            ConfigError: A change is not of the form, or the result is not valid.
        """
        return Config.parse(changed_values(self.values(), changes))

    def with_data(self, data: Mapping[str, Any]) -> Config:
        """This configuration with other values in its [data] section, for reading another table.

        Raises:
            ConfigError: A value is not valid.
        """
        values = self.values()
        return Config.parse({**values, "data": {**values["data"], **data}})

    @property
    def reads_pictures(self) -> bool:
        """Whether any encoder reads pictures; where none does, they are not even looked at."""
        if self.ensemble is not None:
            return any(member is None or member.reads_pictures for member in self.members.values())
        return any(ENCODERS.get(encoder.name).modality == "image" for encoder in self.encoders.values())

    @property
    def members(self) -> dict[str, Config | None]:
        """The configuration of each member of an ensemble; `None` for a run that is fitted already."""
        if self.ensemble is None:
            return {}
        base = self.values()
        return {
            name: None if "run" in own else Config.parse(self.ensemble.values_of(name, base))
            for name, own in self.ensemble.members.items()
        }

    @property
    def networks(self) -> int:
        """How many networks folds and seeds ask for, of one member."""
        return max(1, self.train.fold_count) * self.train.seeds

    def settled(self, rows: int) -> Config:
        """This configuration with ``train.folds = "auto"`` replaced by a number.

        Folds where only heads are trained, which takes seconds; none where encoders train too.

        Args:
            rows: Of the training table; 0 where other rows choose epoch and decision.
        """
        if self.train.folds != "auto":
            return self
        members = [self] if self.ensemble is None else [member for member in self.members.values() if member]
        frozen = all(encoder.frozen for member in members for encoder in member.encoders.values())
        folds = AUTO_FOLDS if frozen and rows in AUTO_ROWS else 0
        return self.model_copy(update={"train": self.train.model_copy(update={"folds": folds})})

    def with_students(self, *, wanted: bool) -> Config:
        """This configuration for a training with rows without labels, or for one without.

        Args:
            wanted: Whether there are such rows; the [pseudo] section then has its defaults where it is not there.

        Raises:
            ConfigError: There are rows and nothing to train, or the section and no rows.
        """
        if wanted and not self.trains:
            raise ConfigError(
                "all members of the ensemble are fitted runs: nothing is trained, and rows without labels teach "
                "nothing. Fix: leave out --unlabeled"
            )
        sections = [self.pseudo, *(member.pseudo for member in self.members.values() if member is not None)]
        if not wanted and any(section is not None for section in sections):
            raise ConfigError(
                "[pseudo] says how students learn from rows without labels, and there are no such rows. "
                "Fix: --unlabeled TABLE (unlabeled=...), or leave the section out"
            )
        return self if not wanted or self.pseudo is not None else Config.parse({**self.values(), "pseudo": {}})

    @property
    def trains(self) -> bool:
        """Whether there is anything to train: not where all members of an ensemble are fitted runs."""
        return self.ensemble is None or any("run" not in own for own in self.ensemble.members.values())

    def resolved(self) -> Config:
        """This configuration with each component's options checked and its defaults filled in.

        Raises:
            ConfigError: All faults together.
        """
        config, faults = self._resolve()
        return config._or_raise(faults)

    def _or_raise(self, faults: list[str]) -> Config:
        if faults:
            raise ConfigError(faults_message("the configuration is not valid", faults))
        return self

    def _resolve(self) -> tuple[Config, list[str]]:
        faults: list[str] = []

        def fill(registry: Registry, component: Component, where: str) -> dict[str, Any]:
            own = {key: getattr(component, key) for key in type(component).model_fields}
            try:
                return {**own, **registry.resolve(component.name, component.options)}
            except ConfigError as error:
                faults.extend(f"[{where}] {line}" for line in str(error).split("\n"))
                return own

        values = {
            "encoders": {
                key: EncoderConfig(**fill(ENCODERS, encoder, f"encoders.{key}"))
                for key, encoder in self.encoders.items()
            },
            "fusion": Component(**fill(FUSIONS, self.fusion, "fusion")),
            "head": Component(**fill(HEADS, self.head, "head")),
            "loss": Component(**fill(LOSSES, self.loss, "loss")),
            "calibration": Component(**fill(CALIBRATIONS, self.calibration, "calibration")),
            "decision": DecisionConfig(**fill(DECISIONS, self.decision, "decision")),
        }
        if self.task == "spans":
            decoder = self.decoder or Component(name="per_label")
            values["decoder"] = Component(**fill(SPAN_DECODERS, decoder, "decoder"))
        values["augment"], more = self.augment.resolved()
        faults += more
        unsuited = self._cross_faults()
        if self.ensemble is None:
            return self.model_copy(update=values), faults + unsuited
        sections = list(Config.model_fields)
        values["ensemble"], more = self.ensemble.checked(self.values(), sections, Config._checked, faults, unsuited)
        return self.model_copy(update=values), faults + more

    def _cross_faults(self) -> list[str]:
        monitors = [
            "loss",
            "calibrated_loss",
            *METRICS.names(),
            *(SPAN_METRICS.names() if self.task == "spans" else ()),
        ]
        faults = self.train.faults({name: encoder.frozen for name, encoder in self.encoders.items()}, monitors)
        faults += self._span_faults() if self.task == "spans" else []
        if self.task != "spans" and self.decoder is not None:
            faults.append("[decoder] turns tokens into spans, and the task is label sets. Fix: task = 'spans'")
        if self.task != "spans" and self.joint is not None:
            faults.append(
                "[joint] learns rows' labels beside their spans, and the task is label sets. Fix: leave it out"
            )
        if self.pseudo is not None:
            joins_rows = self.loss.name in LOSSES.table and LOSSES.get(self.loss.name).unit == "batch"
            faults += self.pseudo.faults(self.loss.name, joins_rows=joins_rows)
        for name in self.encoders:
            # The model keeps its parts under these names.
            if not name.isidentifier() or hasattr(ModuleDict(), name) or name == HEADS_PART:
                faults.append(
                    f"[encoders] '{name}' cannot name an encoder. Accepted: letters, digits and _, not "
                    f"'{HEADS_PART}', and no word of torch's own such as 'keys' or 'type'."
                )
        modalities = {name: modality for name, e in self.encoders.items() if (modality := _modality(e)) is not None}
        faults += self.augment.faults(modalities, {name for name, e in self.encoders.items() if e.frozen})
        for name, encoder in self.encoders.items():
            if encoder.frozen and _from_scratch(encoder):
                faults.append(
                    f"[encoders.{name}] '{encoder.name}' has no pretrained weights here and must train with the model: "
                    f"frozen it would say nothing. Fix: --set encoders.{name}.frozen=false"
                )
            if encoder.frozen and encoder.options.get("lora_rank"):
                faults.append(
                    f"[encoders.{name}] lora_rank = {encoder.options['lora_rank']} trains adapters, and the encoder is "
                    f"frozen. Fix: --set encoders.{name}.frozen=false, or lora_rank = 0"
                )
        if self.fusion.name == "single" and len(self.encoders) != 1:
            faults.append(
                f"[fusion] 'single' takes one encoder, the configuration has {len(self.encoders)}: "
                f"{', '.join(self.encoders)}. Fix: another fusion, or --without NAME."
            )
        return faults

    def _span_faults(self) -> list[str]:
        """What the task of spans cannot be had with."""
        modalities = {name: modality for name, e in self.encoders.items() if (modality := _modality(e)) is not None}
        faults = span_faults(self.encoders, modalities, self.fusion) + span_head_faults(self.head)
        if self.augment.steps or self.augment.rare:
            faults.append("[augment] changes rows' words or numbers, and spans would not fit them. Fix: leave it out")
        if self.pseudo is not None:
            faults.append("[pseudo] is for label sets: task = 'spans' has no pseudo-labels. Fix: leave it out")
        if self.ensemble is not None:
            faults.append("[ensemble] is for label sets: task = 'spans' has no ensembles. Fix: leave it out")
        return faults

    @classmethod
    def for_spans(cls) -> Config:
        """The default for spans: the packaged text encoder, fine-tuned, with a linear head on its tokens."""
        return cls.parse(
            {
                "task": "spans",
                "encoders": {"text": {"name": "transformers_text", "frozen": False}},
                "fusion": {"name": "single"},
                "head": {"name": "linear", "dropout": 0.1},
                "loss": {"name": "bce"},
                "train": {"epochs": 20, "batch_size": 16, "encoder_lr": 1e-4, "min_steps": 0, "monitor": "loss"},
            }
        )

    def values(self) -> dict[str, Any]:
        """All settings as plain values, those without one left out."""
        values: dict[str, Any] = _without_none(self.model_dump(mode="json"))
        return values

    def dump(self) -> str:
        """The whole configuration as TOML, defaults included."""
        return tomli_w.dumps(self.values())


def _modality(section: EncoderConfig) -> str | None:
    try:
        return str(ENCODERS.get(section.name).modality)
    except ConfigError:  # no such encoder, or not installed: that is said elsewhere
        return None


def _from_scratch(section: EncoderConfig) -> bool:
    """Whether an encoder, with its options, starts from random weights."""
    try:
        return bool(ENCODERS.build(section.name, section.options).from_scratch)
    except ConfigError:  # no such encoder or wrong options: that is said elsewhere
        return False


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return value

"""One configuration a run: read from TOML, checked as a whole, all faults together, written back whole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import Field

from multitag.config.augment import AugmentConfig
from multitag.config.base import Component, Section
from multitag.config.changes import changed_values
from multitag.config.checks import cross_faults
from multitag.config.ensemble import EnsembleConfig
from multitag.config.faults import validated
from multitag.config.joint import JointConfig
from multitag.config.presets import PresetName
from multitag.config.pseudo import PseudoConfig
from multitag.config.sections import DataConfig, DecisionConfig, EncoderConfig, RecipeConfig, StoreConfig
from multitag.config.teacher import TeacherConfig, misplaced
from multitag.config.train import AUTO_FOLDS, AUTO_ROWS, TrainConfig
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError, faults_message
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.registry import Registry
from multitag.spans import SPAN_DECODERS
from multitag.types import MODALITIES, Modality


def _default_encoders() -> dict[str, EncoderConfig]:
    return {"image": EncoderConfig(name="efficientnet_lite"), "text": EncoderConfig(name="transformers_text")}


class Config(Section):
    """All settings of a run. `Config()` is the default: packaged frozen encoders, late fusion, one hidden layer."""

    seed: int = 0
    task: Literal["labels", "spans"] = "labels"
    recipe: RecipeConfig | None = None
    preset: PresetName | None = None
    data: DataConfig = DataConfig()
    encoders: dict[str, EncoderConfig] = Field(default_factory=_default_encoders, min_length=1)
    augment: AugmentConfig = AugmentConfig()
    fusion: Component = Component(name="sum")
    head: Component = Component(name="mlp")
    loss: Component = Component(name="bce", smoothing=0.1)  # type: ignore[call-arg]
    train: TrainConfig = TrainConfig()
    pseudo: PseudoConfig | None = None
    teacher: TeacherConfig | None = None
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
        return "image" in self.modalities

    @property
    def modalities(self) -> frozenset[Modality]:
        """What the encoders read; a run that is fitted already may read both."""
        if self.ensemble is not None:
            each = [MODALITIES if member is None else member.modalities for member in self.members.values()]
            return frozenset[Modality]().union(*each)
        return frozenset(ENCODERS.get(encoder.name).modality for encoder in self.encoders.values())

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

        Folds where only heads are trained, which takes seconds, and in presets; none where encoders train too.

        Args:
            rows: Of the training table; 0 where other rows choose epoch and decision.
        """
        if self.train.folds != "auto":
            return self
        members = [self] if self.ensemble is None else [member for member in self.members.values() if member]
        # A preset's members are stacked on what they say of all rows, whatever trains.
        frozen = self.preset is not None or all(e.frozen for member in members for e in member.encoders.values())
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

    def with_teacher(self, *, wanted: bool, pool: bool = False) -> Config:
        """This configuration for a training with a fitted run as the teacher, or for one without.

        Args:
            wanted: Whether there is one; the [teacher] section then has its defaults where it is not there.
            pool: Whether there are rows without labels, which the teacher answers in place of [pseudo].

        Raises:
            ConfigError: There is a teacher and nothing to train, or [pseudo] too, or the section and no teacher; or
                rows without labels that nothing would be learned of.
        """
        if fault := misplaced(
            [each.teacher for each in self._every],
            wanted=wanted,
            trains=self.trains,
            pool=pool,
            pseudo=any(each.pseudo is not None for each in self._every),
        ):
            raise ConfigError(fault)
        return self if not wanted or self.teacher is not None else Config.parse({**self.values(), "teacher": {}})

    @property
    def heeds_teacher(self) -> bool:
        """Whether a teacher's answers count anything, in any member."""
        return any(each.teacher is not None and each.teacher.weight > 0 for each in self._every)

    @property
    def _every(self) -> list[Config]:
        """This configuration and those of its members that are trained."""
        return [self, *(member for member in self.members.values() if member is not None)]

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
        unsuited = cross_faults(self)
        if self.ensemble is None:
            return self.model_copy(update=values), faults + unsuited
        sections = list(Config.model_fields)
        values["ensemble"], more = self.ensemble.checked(self.values(), sections, Config._checked, faults, unsuited)
        return self.model_copy(update=values), faults + more

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


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    return value

"""Configurations: one a run, read from TOML, checked as a whole, written back whole."""

from multitag.config.augment import AugmentConfig as AugmentConfig
from multitag.config.base import Component as Component
from multitag.config.base import Section as Section
from multitag.config.ensemble import EnsembleConfig as EnsembleConfig
from multitag.config.joint import JointConfig as JointConfig
from multitag.config.pseudo import PseudoConfig as PseudoConfig
from multitag.config.sections import DataConfig as DataConfig
from multitag.config.sections import DecisionConfig as DecisionConfig
from multitag.config.sections import EncoderConfig as EncoderConfig
from multitag.config.sections import Precision as Precision
from multitag.config.sections import RecipeConfig as RecipeConfig
from multitag.config.sections import Runtime as Runtime
from multitag.config.sections import StoreConfig as StoreConfig
from multitag.config.teacher import TeacherConfig as TeacherConfig
from multitag.config.train import StageConfig as StageConfig
from multitag.config.train import TrainConfig as TrainConfig
from multitag.config.whole import Config as Config

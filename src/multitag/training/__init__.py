"""The only training loop, and what it stands on: devices, stages, averaged weights, the state it is resumed from."""

from multitag.interrupts import Interrupted as Interrupted
from multitag.training.accelerator import make_accelerator as make_accelerator
from multitag.training.run import train as train
from multitag.training.state import Checkpointing as Checkpointing

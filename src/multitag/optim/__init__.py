"""How weights move: which parameters at which rate, by which rule, and the rate as a function of the step."""

from multitag.optim.groups import HEADS_PART as HEADS_PART
from multitag.optim.groups import parameter_groups as parameter_groups
from multitag.optim.optimizers import OptimizerName as OptimizerName
from multitag.optim.optimizers import build_optimizer as build_optimizer
from multitag.optim.schedules import Schedule as Schedule
from multitag.optim.schedules import ScheduleName as ScheduleName
from multitag.optim.schedules import set_rates as set_rates

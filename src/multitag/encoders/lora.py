"""Low-rank adapters through the peft library: a large network learns through a few small matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field
from torch import nn

from multitag.errors import ConfigError

Rank = Annotated[int, Field(ge=0)]
Alpha = Annotated[float, Field(gt=0)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Targets = Literal["auto", "all-linear"]


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters (Hu et al., arXiv 2106.09685): W x becomes W x + (alpha / rank) B A x, and only A and B train.

    Attributes:
        rank: Rows of A and columns of B.
        alpha: The adapters' weight beside the network's own.
        dropout: Of what A reads.
        targets: Which linear maps: ``"auto"``, those that peft names for this kind of network (queries and values of
            BERT and its like), all where it names none; ``"all-linear"``, all.
    """

    rank: int
    alpha: float
    dropout: float
    targets: Targets

    def adapt(self, net: nn.Module, model: str) -> None:
        """Put adapters into a network; nothing else in it needs a gradient any more. At first they change nothing.

        Raises:
            ConfigError: peft is not installed, or the network has no linear map.
        """
        try:
            from peft import LoraConfig, inject_adapter_in_model
        except ImportError as error:
            raise ConfigError(
                f"option 'lora_rank' = {self.rank} needs the package 'peft' ({error}). "
                f"Fix: pip install 'multitag[lora]'"
            ) from error
        names = self._targets(net)
        if not names:
            raise ConfigError(
                f"option 'lora_rank' = {self.rank}: '{model}' has no linear map to adapt. Fix: lora_rank = 0"
            )
        options = LoraConfig(r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout, target_modules=names)
        inject_adapter_in_model(options, net)

    def _targets(self, net: nn.Module) -> list[str]:
        """The full names of the linear maps to adapt.

        Subclasses of Linear are left out: torch's own attention reads their weights past any adapter.
        """
        from peft.utils import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as KNOWN

        linear = [name for name, module in net.named_modules() if type(module) is nn.Linear]
        kind = getattr(getattr(net, "config", None), "model_type", "")
        if self.targets == "all-linear" or not isinstance(KNOWN.get(kind), list):
            return linear
        return [name for name in linear if name.rpartition(".")[2] in KNOWN[kind]]


def merge_adapters(net: nn.Module) -> None:
    """Add what the adapters learned to the weights and take them out: the network is a plain one again."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(net.named_modules()):
        if isinstance(module, BaseTunerLayer):
            adapter: Any = module
            adapter.merge()
            net.set_submodule(name, adapter.get_base_layer())
    if hasattr(net, "peft_config"):
        del net.peft_config

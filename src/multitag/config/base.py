"""What the tables of a configuration are made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file: no key but its own."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)


class Component(BaseModel):
    """A table that names a component; every other key is one of the component's own options."""

    model_config = ConfigDict(extra="allow")

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """The component's options."""
        return dict(self.model_extra or {})

"""What fitted components read back from a run folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from multitag.errors import RunError


def saved(state: Mapping[str, Any], key: str) -> Any:
    """The entry `key` of a saved state.

    Raises:
        RunError: It is not there.
    """
    if key not in state:
        found = ", ".join(f"'{name}'" for name in state) or "nothing"
        raise RunError(
            f"the saved state lacks '{key}'; it holds {found}. "
            "Fix: fit again; the state is of another component or of another version."
        )
    return state[key]

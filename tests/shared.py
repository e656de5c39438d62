"""Real data beside the repository, for tests that are skipped where it is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def requires_shared(name: str) -> pytest.MarkDecorator:
    """Skip unless the data set `name` is there."""
    return pytest.mark.skipif(not (SHARED / name).is_dir(), reason=f"needs {SHARED / name}, not here")

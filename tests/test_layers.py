"""Imports point down only. A new module or package gets its place here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import multitag

ROOT = Path(multitag.__file__).parent
LAYERS = [
    [
        "errors",
        "types",
        "registry",
        "layers",
        "cores",
        "memory",
        "ahead",
        "deadline",
        "progress",
        "interrupts",
        "workers",
        "intervals",
        "words",
        "gold",
        "saved_state",
        "span_layers",
    ],
    [
        "data",
        "augment",
        "encoders",
        "fusions",
        "heads",
        "losses",
        "decisions",
        "spans",
        "combiners",
        "metrics",
        "optim",
        "checkpoints",
    ],
    ["config", "report"],
    ["features", "model", "tasks"],
    [
        "inference",
        "lacking",
        "networks",
        "pipeline",
        "combined",
        "tagging",
        "runs",
        "sizes",
        "evaluation",
        "span_evaluation",
        "analysis",
    ],
    ["training"],
    ["fitting", "estimator", "classifier", "ensemble", "tagger", "opening"],
    ["recipes", "pages", "studies", "encoding", "explain"],
    ["cli", "__main__"],
]
"""From the ground up; within a layer a module may import those to its left."""
LEAVES = set(LAYERS[1])
"""These never import each other."""
PLACE = {name: (layer, place) for layer, names in enumerate(LAYERS) for place, name in enumerate(names)}


def imports(path: Path) -> Iterator[str]:
    """The rooms of multitag that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name.split(".")[1] for name in names if name.startswith("multitag."))


FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert room in PLACE, f"'{room}' is new: give it a place in LAYERS of {__file__}"
    for other in set(imports(path)) & set(PLACE) - {room}:
        assert PLACE[other] < PLACE[room], f"{room} may not import {other}, which stands above it"
        assert not {room, other} <= LEAVES, f"{room} and {other} are leaves: neither may import the other"


def test_every_place_is_taken():
    assert {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES} == set(PLACE)


def test_importing_the_package_does_nothing():
    script = (
        "import sys, multitag; print([name for name in ('torch', 'transformers', 'polars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

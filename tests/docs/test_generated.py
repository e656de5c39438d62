"""Pages that are made from the code say what the code says now."""

from __future__ import annotations

import importlib
import re

import pytest

from doc_blocks import ROOT
from multitag.cli import main

DOCS = ROOT / "docs"
KINDS = ["encoders", "augmentations", "fusions", "heads", "losses", "calibrations", "decisions", "combiners", "metrics"]
KINDS += ["span-decoders", "span-metrics"]
COMMANDS = ["check", "encode", "train", "evaluate", "predict", "report", "explain", "ablate", "tune", "list", "demo"]


@pytest.fixture
def script(monkeypatch):
    """Imports one of scripts/."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


@pytest.mark.parametrize("kind", KINDS)
def test_component_pages_are_up_to_date(kind, script):
    module = script("component_docs")
    assert set(module.KINDS) == set(KINDS)
    try:
        lines = module.page(kind)
    except SystemExit as missing:
        pytest.skip(str(missing))
    page = (DOCS / "components" / f"{kind}.md").read_text("utf-8")
    assert page == "\n".join(lines) + "\n", "run: python scripts/component_docs.py"


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_is_explained(kind, script):
    module = script("component_docs")
    registry, section, _ = module.KINDS[kind]
    if not section:
        return
    unsaid = [
        f"{name}.{option}"
        for name in registry.names()
        if registry.extra(name) is None
        for option in registry.options(name)
        if not script("describe").arguments(registry.get(name)).get(option)
    ]
    assert not unsaid, "say what they do under 'Args:' in the docstring"


def test_settings_are_up_to_date(script):
    page = (DOCS / "configuration.md").read_text("utf-8")
    assert script("config_docs").filled(page) == page, "run: python scripts/config_docs.py"


def test_speeds_are_those_of_the_benchmark(script):
    page = (DOCS / "performance.md").read_text("utf-8")
    module = script("speed_tables")
    assert module.filled(page) == page, "run: python scripts/speed_tables.py"
    assert module.PLOT.read_text("utf-8") == module.plot(), "run: python scripts/speed_tables.py"
    parts = {row["part"] for row in module.found()}
    assert parts == {match["part"] for match in module.BLOCK.finditer(page)}


def test_tables_are_those_of_the_benchmark(script):
    page = (DOCS / "accuracy.md").read_text("utf-8")
    assert script("accuracy_tables").filled(page) == page, "run: python scripts/accuracy_tables.py"
    assert page.count("| `multitag train` |") == 2, "its scores, and those of rows that lack something"


def test_every_section_of_the_configuration_has_its_heading():
    from multitag.config import Config

    page = (DOCS / "configuration.md").read_text("utf-8")
    assert [name for name in Config.model_fields if f"[{name}]" not in page and f"`{name}`" not in page] == []


def test_all_commands_have_a_page(script):
    assert sorted(script("command_docs").commands()) == sorted(COMMANDS)
    assert sorted(path.stem for path in (DOCS / "commands").glob("*.md")) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_options_are_those_of_the_help(command, script, capsys):
    page = (DOCS / "commands" / f"{command}.md").read_text("utf-8")
    module = script("command_docs")
    assert module.filled(command, page) == page, "run: python scripts/command_docs.py"
    assert main.run([command, "--help"]) == 0
    own = capsys.readouterr().out.partition("\n  Anywhere: ")[0]
    shown = set(re.findall(r"^  (--[\w-]+)", own, re.MULTILINE)) - {"--help"}
    table = page.split(module.BEGIN)[1].split(module.END)[0]
    assert set(re.findall(r"^\| `(--[\w-]+)", table, re.MULTILINE)) == shown


@pytest.mark.parametrize("command", COMMANDS)
def test_exit_codes_are_those_that_exist(command):
    page = (DOCS / "commands" / f"{command}.md").read_text("utf-8")
    codes = {int(code) for code in re.findall(r"(?:^|[.] )(\d+):", page.split("## Exit codes")[1], re.MULTILINE)}
    assert {0, 2} <= codes <= {0, 2, 3, 4, 5, 6, 130}

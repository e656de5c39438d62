"""The lines on the pages of systems that repeat a study are configurations that can be trained."""

from __future__ import annotations

import re
import shlex

import pytest

from doc_blocks import ROOT
from multitag.errors import ConfigError
from multitag.recipes import configure

PAGES = ["bosia2023", "liu2025"]
RECIPE = re.compile(r"--recipe ([\w-]+)")
LINE = re.compile(r"`(--set [^`]+)`")


def studies(page: str) -> list[tuple[str, list[str]]]:
    """Each line of settings, with the recipe named last before it."""
    found, recipe = [], ""
    for line in (ROOT / "docs" / "systems" / f"{page}.md").read_text("utf-8").splitlines():
        recipe = (RECIPE.findall(line) or [recipe])[0]
        if line.startswith(("| ", "- ")):
            words = [shlex.split(settings) for settings in LINE.findall(line)]
            found += [(recipe, [word for word in line_words if word != "--set"]) for line_words in words]
    return found


@pytest.mark.parametrize(("recipe", "changes"), [study for page in PAGES for study in studies(page)], ids=str)
def test_each_study_is_a_configuration_of_its_own(recipe, changes):
    try:
        config = configure(recipe=recipe, changes=changes)
    except ConfigError as error:
        if "pip install" not in str(error):
            raise
        pytest.skip(str(error))
    if "weights=[0.5, 0.25" not in str(changes):
        assert config != configure(recipe=recipe), "the line changes nothing"

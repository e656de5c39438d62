"""The blocks of a Markdown page, and what its comments say about testing them.

A ```bash or ```python block is run, in the page's order and in one folder, unless a comment on the line before says
otherwise; ```toml blocks are parsed as configurations; other blocks are only looked at:

    <!-- test: skip REASON -->      not run
    <!-- test: exit 4 -->           the last command ends with this exit code
    <!-- test: patched -->          run with a copy of the package to which the page's ```diff block was applied
    <!-- output of: COMMAND -->     filled by scripts/outputs.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMENT = re.compile(r"<!-- (?P<kind>test|output of): (?P<said>.+?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: After the fence.
        code: What is in it.
        line: Where it starts.
        said: What the comment before it says on testing it.
        output_of: The command that it is the output of.
    """

    language: str
    code: str
    line: int
    said: str = ""
    output_of: str = ""

    @property
    def skipped(self) -> bool:
        return self.said.startswith("skip")

    @property
    def patched(self) -> bool:
        return self.said.startswith("patched")

    @property
    def exit_code(self) -> int:
        found = re.search(r"exit (\d+)", self.said)
        return int(found[1]) if found else 0


def blocks(path: Path) -> list[Block]:
    """All fenced blocks of a page."""
    found: list[Block] = []
    comment: re.Match[str] | None = None
    lines = iter(enumerate(path.read_text("utf-8").split("\n"), 1))
    for number, line in lines:
        if line.startswith("```"):
            code = []
            for _, inner in lines:
                if inner.startswith("```"):
                    break
                code.append(inner)
            said = {comment["kind"]: comment["said"]} if comment else {}
            text = "\n".join(code) + "\n"
            found.append(Block(line[3:].strip(), text, number, said.get("test", ""), said.get("output of", "")))
        if line.strip():
            comment = COMMENT.fullmatch(line.strip())
    return found

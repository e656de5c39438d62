"""A whole page: its title, and sections of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from multitag.report.blocks import Block


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with a heading and an entry in the list of contents."""

    name: str
    blocks: Sequence[Block]
    intro: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        title: Its heading.
        sections: Its parts.
        subtitle: What it is about, in a line.
        facts: Small print below the heading, such as files, dates and versions.
    """

    title: str
    sections: Sequence[Section]
    subtitle: str = ""
    facts: Sequence[tuple[str, str]] = ()

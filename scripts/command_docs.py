"""Make the option tables of docs/commands/*.md from the commands: python scripts/command_docs.py"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from describe import DOCS, cell, table
from typer.models import ArgumentInfo, OptionInfo

from multitag.cli.main import app

BEGIN, END = "<!-- options: made by scripts/command_docs.py -->", "<!-- options: end -->"
KINDS = {"Path": "path", "str": "text", "int": "number", "float": "number"}


def commands() -> dict[str, Callable[..., Any]]:
    """Each command's function by its name."""
    return {str(info.name): info.callback for info in app.registered_commands if info.callback is not None}


def options(command: Callable[..., Any]) -> list[str]:
    """A table of a command's arguments and options."""
    hints = get_type_hints(command, include_extras=True)
    rows = []
    for name, parameter in inspect.signature(command).parameters.items():
        hint, info = _declared(hints[name])
        flag = name.replace("_", "-")
        if isinstance(info, ArgumentInfo):
            shown = f"`{name.upper()}`" + ("" if parameter.default is parameter.empty else ", optional")
        else:
            kind = _kind(hint)
            # In `Annotated`, typer keeps the first name as the default.
            given = (info.default, *(info.param_decls or ()))
            declared = [part for part in given if isinstance(part, str) and part.startswith("--")]
            shown = f"`{declared[0] if declared else '--' + flag}{kind}`"
        rows.append([shown, cell(info.help or ""), _default(parameter)])
    return table(["", "meaning", "default"], rows)


def _declared(hint: Any) -> tuple[Any, OptionInfo | ArgumentInfo]:
    for part in (hint, *get_args(hint)):
        if get_origin(part) is Annotated:
            inner, *extras = get_args(part)
            for extra in extras:
                if isinstance(extra, OptionInfo | ArgumentInfo):
                    return inner, extra
    raise SystemExit(f"{hint} is declared neither as an option nor as an argument")


def _kind(hint: Any) -> str:
    """What follows an option, ``" PATH"``; nothing for a switch."""
    for part in (hint, *get_args(hint), *(inner for outer in get_args(hint) for inner in get_args(outer))):
        if part is bool:
            return ""
        if get_origin(part) is Literal:
            return " " + "|".join(map(str, get_args(part))).replace("|", "\\|")
        if getattr(part, "__name__", "") in KINDS:
            return " " + KINDS[part.__name__].upper()
    return ""


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return "needed"
    return "" if parameter.default in (None, False) else f"`{parameter.default}`"


def filled(name: str, text: str) -> str:
    """The page of a command with its table made anew."""
    head, rest = text.split(BEGIN)
    return head + "\n".join([BEGIN, "", *options(commands()[name]), "", END]) + rest.split(END)[1]


if __name__ == "__main__":
    for name in commands():
        path = DOCS / "commands" / f"{name}.md"
        path.write_text(filled(name, path.read_text("utf-8")), "utf-8")

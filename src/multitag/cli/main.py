"""The `multitag` command: its subcommands, and what becomes of errors."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import Annotated

import typer

from multitag import __version__
from multitag.cli import ablate, check, demo, encode, evaluate, explain, list_components, predict, report, train, tune
from multitag.cores import cores, limit_threads, settle_threads
from multitag.errors import DataWarning, MultitagError
from multitag.interrupts import Interrupted

_ANYWHERE = "Anywhere: --threads N uses so many cores and not all, --debug shows the traceback of an error."

app = typer.Typer(
    name="multitag",
    epilog=f"Errors are one clear message. {_ANYWHERE} Exit codes: 0 well, 1 other, 2 usage, 3 data, 4 configuration, "
    "5 weights, 6 run folder, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command, name in (
    (check.check, "check"),
    (encode.encode, "encode"),
    (train.train, "train"),
    (evaluate.evaluate, "evaluate"),
    (predict.predict, "predict"),
    (report.report, "report"),
    (ablate.ablate, "ablate"),
    (tune.tune, "tune"),
    (explain.explain, "explain"),
    (list_components.list_components, "list"),
    (demo.demo, "demo"),
):
    app.command(name, epilog=_ANYWHERE)(command)

INTERRUPTED, USAGE = 130, 2


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"multitag {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Image + text in, a set of labels out."""


def run(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    arguments, asked = _without_threads(arguments)
    if asked is not None:
        if not asked.isdigit() or not 1 <= int(asked) <= cores():
            sys.stderr.write(
                f"error: --threads '{asked}' cannot be had. Accepted: 1 to {cores()}, the cores there are\n"
            )
            return USAGE
        limit_threads(int(asked))
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = _show_warning
        try:
            code = app(args=arguments, prog_name="multitag", standalone_mode=False)
            if code == INTERRUPTED:  # what some versions of the parser make of Ctrl-C
                raise KeyboardInterrupt
        except MultitagError as error:
            kind = "interrupted" if isinstance(error, Interrupted) else "error"
            sys.stderr.write(traceback.format_exc() if debug else f"{kind}: {error}\n")
            return error.exit_code
        except (KeyboardInterrupt, typer.Abort):  # and others
            sys.stderr.write(
                "interrupted: what was encoded is in the feature store; the same command goes on from there\n"
            )
            return INTERRUPTED
        except Exception as error:  # the last stop: no user sees a traceback unasked
            if hasattr(error, "exit_code") and hasattr(error, "format_message"):  # a usage error of the parser
                error.show()  # type: ignore[attr-defined]
                return int(error.exit_code)
            if debug:
                sys.stderr.write(traceback.format_exc())
                return 1
            sys.stderr.write(
                f"error: {type(error).__name__}: {error}\n"
                "This is a fault of multitag, not of your data. Fix: run again with --debug and report what it shows.\n"
            )
            return 1
    return code if isinstance(code, int) else 0


def _without_threads(arguments: list[str]) -> tuple[list[str], str | None]:
    """The arguments without ``--threads N``, wherever it stands, and N as it was written."""
    rest: list[str] = []
    asked = None
    given = iter(arguments)
    for argument in given:
        if argument == "--threads":
            asked = next(given, "")
        elif argument.startswith("--threads="):
            asked = argument.partition("=")[2]
        else:
            rest.append(argument)
    return rest, asked


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    if issubclass(category, DataWarning):
        sys.stderr.write(f"warning: {message}\n")


def main() -> None:
    """Entry point of the `multitag` script."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows a question mark, and goes on
            stream.reconfigure(errors="replace")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    settle_threads()
    sys.exit(run(sys.argv[1:]))

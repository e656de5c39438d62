"""The command itself: help, usage errors, exit codes, what becomes of errors."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from functools import partial

import pytest
from rich.console import Console

import multitag
from multitag.cli import output
from multitag.errors import DataError, MultitagError, NotFittedError, RunError, WeightsError

COMMANDS = ["check", "encode", "train", "evaluate", "predict", "report", "ablate", "tune", "explain", "list", "demo"]


def test_help_lists_every_command_in_a_whole_sentence(cli):
    answer = cli("--help")
    assert answer.code == 0
    for name in COMMANDS:
        line = next(line for line in answer.out.splitlines() if line.startswith(f"  {name} "))
        assert line.endswith(".")
        assert not line.endswith("...")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(cli, command):
    answer = cli(command, "--help")
    assert answer.code == 0
    assert f"multitag {command}" in answer.out
    assert "Anywhere: --threads N uses so many cores and not all, --debug shows" in " ".join(answer.out.split())
    assert answer.err == ""


def test_version(cli):
    assert cli("--version").out == f"multitag {multitag.__version__}\n"


def test_help_imports_nothing_heavy():
    program = (
        "import json, sys\n"
        "from multitag.cli.main import run\n"
        f"codes = [run([*command, '--help']) for command in ([], *([name] for name in {COMMANDS}))]\n"
        "heavy = {'torch', 'transformers', 'polars', 'sklearn', 'numpy', 'PIL', 'accelerate'}\n"
        "print(json.dumps([codes, sorted(heavy & set(sys.modules))]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    codes, heavy = json.loads(done.stdout.splitlines()[-1])
    assert set(codes) == {0}
    assert heavy == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chek"], "chek"),
        (["check"], "table"),
        (["check", "a.csv", "--imags", "x"], "--imags"),
        (["check", "a.csv", "--separator", "dot"], "'bar'"),
        (["train", "a.csv", "--on-bad-image", "skip"], "'missing'"),
        (["train", "a.csv", "--seed", "one"], "integer"),
        (["predict", "run", "a.csv"], "--out"),
        (["predict", "run", "a.csv", "--out", "b.csv", "--chunk-rows", "0"], "--chunk-rows"),
        (["evaluate", "run"], "table"),
        (["demo", "--rows", "3"], "--rows"),
    ],
)
def test_usage_errors_end_with_2_and_say_what_is_wrong(cli, arguments, said):
    answer = cli(*arguments)
    assert answer.code == 2
    assert said.lower() in answer.err.lower()
    assert "Traceback" not in answer.err
    assert answer.out == ""


def test_without_arguments_the_help_is_shown(cli):
    answer = cli()
    assert answer.code in (0, 2)
    assert "Commands:" in answer.out + answer.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(MultitagError, 1), (DataError, 3), (WeightsError, 5), (RunError, 6), (NotFittedError, 7)],
)
def test_an_error_is_one_message_and_its_exit_code(cli, monkeypatch, error, code):
    monkeypatch.setattr("multitag.classifier.Classifier.load", lambda run: _raise(error("it went wrong")))
    answer = cli("evaluate", "run", "a.csv")
    assert (answer.code, answer.out, answer.err) == (code, "", "error: it went wrong\n")


@pytest.mark.parametrize("place", ["--debug evaluate run a.csv", "evaluate run a.csv --debug"])
def test_debug_shows_the_traceback_and_keeps_the_exit_code(cli, place):
    answer = cli(*place.split())
    assert answer.code == 6
    assert answer.err.startswith("Traceback")
    assert "RunError: " in answer.err


def test_a_fault_of_ours_says_so(cli, monkeypatch):
    monkeypatch.setattr("multitag.classifier.Classifier.load", lambda run: _raise(ZeroDivisionError("by zero")))
    answer = cli("evaluate", "run", "a.csv")
    assert answer.code == 1
    assert answer.err.startswith("error: ZeroDivisionError: by zero\n")
    assert "--debug" in answer.err
    assert "Traceback" not in answer.err
    assert "Traceback" in cli("evaluate", "run", "a.csv", "--debug").err


def test_an_interrupt_ends_with_130(cli, monkeypatch):
    monkeypatch.setattr("multitag.classifier.Classifier.load", lambda run: _raise(KeyboardInterrupt()))
    answer = cli("predict", "run", "a.csv", "--out", "b.csv")
    assert answer.code == 130
    assert "interrupted" in answer.err
    assert "Traceback" not in answer.err


def _raise(error: BaseException) -> None:
    raise error


def test_progress_in_a_log_is_paced_and_ends_with_a_line(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    with output.progress(quiet=False)("encoding", 100) as advance:
        for _ in range(100):
            now[0] += 0.2
            advance(1)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0] == "encoding: 25 of 100, 5 s, about 15 s left"
    assert lines[-1] == "encoding: 100 of 100, 20 s"
    assert len(lines) == 4


@pytest.mark.parametrize(("seconds", "told"), [(1.4, "checking: 3 of 3, 1 s\n"), (0.9, "")])
def test_short_work_is_one_line_or_none(capsys, monkeypatch, seconds, told):
    now = [0.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(output, "SHORT_SECONDS", 1.0)
    with output.progress(quiet=False)("checking", 3) as advance:
        now[0] += seconds
        advance(3)
    with output.progress(quiet=False)("checking", 0):
        now[0] += 2.0
    assert capsys.readouterr().err == told


def test_what_is_left_is_reckoned_without_what_was_done_before(capsys, monkeypatch):
    """Of 1,000 a training that is resumed has 500 at once; then 10 take a second."""
    now = [0.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    with output.progress(quiet=False)("training", 1000) as advance:
        advance(500)
        for _ in range(6):
            now[0] += 1.0
            advance(10)
    assert capsys.readouterr().err.splitlines()[0] == "training: 550 of 1000, 5 s, about 45 s left"


def test_what_is_left_is_reckoned_from_the_whole_where_there_is_one_report_yet(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(output.time, "monotonic", lambda: now[0])
    with output.progress(quiet=False)("encoding", 40) as advance:
        now[0] += 6.0
        advance(10)
    assert capsys.readouterr().err.splitlines()[0] == "encoding: 10 of 40, 6 s, about 18 s left"


@pytest.mark.parametrize(("seconds", "stays"), [(1.4, True), (0.9, False)])
def test_a_bar_of_short_work_is_taken_away(monkeypatch, seconds, stays):
    now, screen = [0.0], io.StringIO()
    monkeypatch.setattr(output, "SHORT_SECONDS", 1.0)
    monkeypatch.setattr(output, "Console", partial(Console, file=screen, force_terminal=True, width=80))
    monkeypatch.setattr(output, "Bars", partial(output.Bars, get_time=lambda: now[0]))
    with output._bar("checking", 3) as advance:
        now[0] += seconds
        advance(3)
    cleared = screen.getvalue().endswith("\x1b[1A\x1b[2K")
    assert cleared is not stays


def test_quiet_shows_nothing(capsys):
    with output.progress(quiet=True)("checking", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with output.progress(quiet=False)("checking", 3) as advance:
        advance(3)
    assert "checking" in capsys.readouterr().err


def test_words_of_the_user_are_no_markup(capsys):
    output.print_table("a [bold]title[/]", ["x", "y"], [["[red]", "[/]"], ["[x_v; x_t]", ":smile:"]], left=2)
    output.print_pairs("[t]", {"[k]": "[v]"})
    output.say("$ multitag check '[a] [/b].csv' " + "long " * 60)
    out = capsys.readouterr().out
    for word in ("a [bold]title[/]", "[red]", "[/]", "[x_v; x_t]", ":smile:", "[t]", "[k]", "[v]", "'[a] [/b].csv'"):
        assert word in out
    assert out.splitlines()[-1].endswith("long ")


def test_a_long_title_stays_on_its_line(capsys):
    title = "a title that is far longer than the table that stands below it, and stays in one piece"
    output.print_table(title, ["x"], [[1]])
    assert capsys.readouterr().out.startswith(title + "\n")


def test_a_pipe_gets_a_hundred_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert output.console().width == 100
    assert isinstance(output.console(), Console)

"""This module tests the console script: its help, and how it ends over what the user can fix."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.__main__ import COMMANDS, cli, main

FOLDER = Path(importlib.import_module("streams.commands").__file__ or "").parent


def test_help_tells_whole_sentences_in_80_columns():
    help_text = CliRunner().invoke(cli, ["--help"], terminal_width=80).output

    assert "..." not in help_text.partition("Commands:")[2]
    for name, words in COMMANDS.items():
        assert name in help_text
        assert words in help_text


def test_help_does_not_wait_for_what_the_commands_import():
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "streams", "--help"], capture_output=True, text=True, check=True
    )

    loaded = {line.rpartition("|")[2].strip() for line in ended.stderr.splitlines()}
    assert {"click"} <= loaded
    assert not {"faust", "aiokafka", "aioboto3", "streams.commands.worker"} & loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_examples(name):
    command = getattr(importlib.import_module(f"streams.commands.{name}"), name)

    assert isinstance(command, click.Command)
    assert f"genesys-eventbridge {name}" in (command.epilog or "")


def test_every_command_that_is_there_is_listed():
    modules = {path.stem for path in FOLDER.glob("*.py") if f"def {path.stem}(" in path.read_text("utf-8")}
    rooms = {path.parent.name for path in FOLDER.glob("*/__init__.py")} - {"terminal", "replaying"}

    assert modules | rooms == set(COMMANDS)


def run(*arguments):
    """The exit code of the console script."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_cannot_take_is_one_line_that_names_its_help(capsys, name):
    assert run(name, "--nothing-of-that-name") == 2

    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"genesys-eventbridge {name}: No such option")
    assert f"`genesys-eventbridge {name} --help`" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("redrive", "--event-id", ""),
        ("replay", "--into", "raw", "--key="),
        ("failures", "show", " "),
        ("simulate", ""),
        ("pause", "sink", "--why", ""),
    ],
)
def test_an_empty_argument_is_refused_before_anything_is_done(capsys, arguments):
    assert run(*arguments) == 2
    assert "an argument is empty: is a variable of the shell not set?" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("replay", "--help")])
def test_what_is_asked_for_goes_to_stdout(capsys, arguments):
    assert run(*arguments) == 0
    assert capsys.readouterr().out


def test_what_the_user_can_mend_is_one_line_and_exit_2(monkeypatch, capsys):
    monkeypatch.setenv("MAX_RETRIES", "many")
    assert run("failures", "list") == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("genesys-eventbridge: MAX_RETRIES: ")

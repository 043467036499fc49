"""Every command that a page or a `--help` shows is one: its options are parsed. tests/integration runs them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import click
import pytest

from streams.__main__ import COMMANDS, cli
from tests.kafka.faults.__main__ import _parser as faults_parser
from tests.shown_commands import DEMOS, PROGRAM, ROOT, arguments, filled, groups

#: Something of the right kind for each place of one's own.
ANY = {"key": "k", "event": "e", "partition": "0", "since": "2h", "until": "1h", "web": "http://w:1", "port": "6067"}

SHOWN = sorted(
    {
        (group.where, words)
        for group in groups()
        for line in group.lines
        if (words := arguments(filled(line, ANY))) is not None
    }
)
MADE = sorted({line for group in groups() for line in group.lines if "make " in line.partition("#")[0]})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the folders that the pages name."""
    for folder in {after for _, shown in SHOWN for option, after in pairwise(shown) if option == "--routes-dir"}:
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _parsed(command: click.Command, name: str, arguments: list[str], parent: click.Context | None) -> list[str]:
    """Parse as a run would; gives the names of the commands."""
    with command.make_context(name, arguments, parent=parent) as context:
        if isinstance(command, click.Group) and (rest := [*context._protected_args, *context.args]):
            inner, found, left = command.resolve_command(context, rest)
            assert inner is not None
            assert found is not None
            return [inner, *_parsed(found, inner, left, context)]
        return []


def test_there_are_commands_to_look_at():
    assert len(SHOWN) > 40
    assert {words[0] for _, words in SHOWN if words} >= set(COMMANDS)


@pytest.mark.parametrize(
    ("where", "words"), SHOWN, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_what_is_shown_is_taken(desk: Path, where: str, words: tuple[str, ...]):
    try:
        _parsed(cli, PROGRAM, list(words), None)
    except click.exceptions.Exit:  # --help and --version
        return
    except click.UsageError as error:
        pytest.fail(f"{where}: {PROGRAM} {shlex.join(words)}: {error.format_message()}")


def _target(line: str) -> tuple[str, list[str]]:
    """What is made, and the ARGS it is given."""
    words = shlex.split(line, comments=True)
    given = next((word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")), "")
    return words[words.index("make") + 1], shlex.split(given)


def test_every_target_of_make_that_is_shown_is_there():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert len(MADE) > 20
    assert {_target(line)[0] for line in MADE} <= targets


@pytest.mark.parametrize("line", [line for line in MADE if _target(line)[0] == "faults" and "SEED" not in line])
def test_every_option_of_the_fault_suite_that_is_shown_is_one(line: str):
    faults_parser().parse_args(_target(line)[1])


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("line", [line for line in MADE if _target(line)[0] == "demo"])
def test_every_demo_that_is_made_is_one_that_is_run(line: str):
    _, given = _target(line)
    asked = [
        "make",
        "--dry-run",
        "--no-print-directory",  # these tests may be made themselves
        "--assume-old",
        ".venv/installed",
        "demo",
        *([f"ARGS={shlex.join(given)}"] if given else []),
    ]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.strip().removeprefix(".venv/bin/") in DEMOS

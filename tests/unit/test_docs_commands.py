"""Every command that a page or a `--help` shows is one: its options are parsed, and it runs where it needs nothing."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.__main__ import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = "genesys-eventbridge"

_BLOCK = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SETTING = re.compile(r"[A-Z][A-Z0-9_]*=")

#: Commands that need no service: they are run, in a folder with the files that the pages speak of.
ALONE = ("routes", "simulate")

#: Subcommands of them that ask AWS.
ASKS = ("pull", "push", "diff")


def _lines(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        yield line.strip().removeprefix("$ ")


def _shown(text: str) -> Iterator[tuple[str, ...]]:
    """The arguments of each line that runs the program; settings before it and what follows it in a pipe are left."""
    for line in _lines(text):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue  # no line of a shell
        while words and _SETTING.match(words[0]):
            words.pop(0)
        if words and Path(words[0]).name == PROGRAM:
            end = next((at for at, word in enumerate(words) if word in ("|", ">", "&&", ";", "&", "<")), len(words))
            yield tuple(words[1:end])


def _of_pages() -> Iterator[tuple[str, tuple[str, ...]]]:
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for arguments in _shown(block):
                yield page.name, arguments


def _commands() -> Iterator[tuple[str, click.Command]]:
    with click.Context(cli) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            yield name, command
            for sub, inner in getattr(command, "commands", {}).items():
                yield f"{name} {sub}", inner


def _of_help() -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, command in _commands():
        for line in re.split(r"\n|·", command.epilog or ""):
            for arguments in _shown(line.removeprefix("Examples:")):
                yield f"{name} --help", arguments


SHOWN = sorted({*_of_pages(), *_of_help()})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages name, and no settings."""
    for name in list(os.environ):
        if name.startswith(("GENESYS", "KAFKA", "AWS", "WEB_", "ROUTES", "DATA_DIR", "DLQ", "EVENTBUS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GENESYS_SOURCE", "none")
    for folder in {after for _, shown in SHOWN for option, after in pairwise(shown) if option == "--routes-dir"}:
        shutil.copytree(ROOT / "schemas", tmp_path / folder)
    shutil.copytree(ROOT / "schemas", tmp_path / "routes")
    monkeypatch.setenv("ROUTES_DIR", str(tmp_path / "routes"))
    example = next((ROOT / "schemas" / "interaction" / "examples").glob("*.json")).read_text("utf-8")
    event = json.dumps(json.loads(example)["event"])
    for file in {word for _, arguments in SHOWN for word in arguments if word.endswith((".json", ".jsonl"))}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(event)
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
    assert {arguments[0] for _, arguments in SHOWN if arguments} >= set(COMMANDS) - {"demo"}


@pytest.mark.parametrize(
    ("where", "arguments"), SHOWN, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_what_is_shown_is_taken(desk: Path, where: str, arguments: tuple[str, ...]):
    try:
        _parsed(cli, PROGRAM, list(arguments), None)
    except click.exceptions.Exit:  # --help and --version
        return
    except click.UsageError as error:
        pytest.fail(f"{where}: {PROGRAM} {shlex.join(arguments)}: {error.format_message()}")


@pytest.mark.parametrize(
    ("where", "arguments"),
    [one for one in SHOWN if one[1] and one[1][0] in ALONE and not set(one[1]) & set(ASKS)],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_needs_nothing_runs(desk: Path, where: str, arguments: tuple[str, ...]):
    result = CliRunner().invoke(cli, list(arguments), prog_name=PROGRAM)
    assert result.exit_code == 0, result.output


def test_every_target_of_make_that_is_shown_is_there():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = {
        words.split()[1]
        for page in PAGES
        for block in _BLOCK.findall(page.read_text("utf-8"))
        for words in _lines(block)
        if re.match(r"make [a-z]", words)
    }
    assert shown
    assert shown <= targets

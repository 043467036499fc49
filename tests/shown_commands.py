"""This module finds the commands that pages and `--help` show, as they are written there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from streams.__main__ import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = "genesys-eventbridge"

#: What a line of a block of shell begins with; `export` names settings.
STARTS = (PROGRAM, f".venv/bin/{PROGRAM}", "aws", "curl", "docker", "export", "make")

#: What is a command also in a text, if something follows it.
IN_TEXTS = (*STARTS, "helm", "kubectl", "pip", "python", "terraform")

#: Run and ended in each way there is by tests/integration/test_demo_ends.py.
DEMOS = (
    f"{PROGRAM} demo",
    f"{PROGRAM} demo --source notifications",
    f"{PROGRAM} demo --source sqs",
    f"{PROGRAM} demo --events 5000 --faults --exit",
)

#: A record of what was decided then, not of what can be typed now.
HISTORY = "decisions.md"

_BLOCK = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_SETTING = re.compile(r"[A-Z][A-Z0-9_]*=")


#: What pages write in the place of something of one's own, and what it is here; the first that fits counts.
PLACES = (
    (re.compile(r"^\.venv/bin/"), ""),
    (re.compile(r"(?<=--key )[0-9a-f-]{36}"), "{key}"),
    (re.compile(r"\b5f8c2a34-[0-9a-f-]{27}|\bEVENT_ID\b"), "{event}"),
    (re.compile(r"--since (2026\S+|…) --until (2026\S+|…)"), "--since {since} --until {until}"),
    (re.compile(r"--partition 3 --from-offset 1000 --to-offset 2000"), "--partition {partition} --to-offset 1"),
    (re.compile(r"http://(127\.0\.0\.1|worker-2):6066"), "{web}"),
    (re.compile(r"--web-port 6067"), "--web-port {port}"),
    (re.compile(r"\bFOLDER$"), "for-consumers"),
    (re.compile(r"\bFILE$"), "event.json"),
    (re.compile(r"\bSTAGE$"), "sink"),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Lines that belong together: a block of a page, or what its text or a `--help` names."""

    where: str
    lines: tuple[str, ...]


def blocks() -> Iterator[tuple[Path, str, str]]:
    """Page, language and text of each fenced block."""
    for page in PAGES:
        for block in _BLOCK.finditer(page.read_text("utf-8")):
            yield page, block[1], block[2]


def groups() -> list[Group]:
    """All that is shown, in the order of the pages; then what each `--help` has as examples."""
    return [one for one in (*_of_blocks(), *_of_texts(), *_of_helps()) if one.lines]


def needs_real_kafka(line: str) -> bool:
    """Whether it changes topics, which the embedded broker cannot: run by tests/kafka/test_day_two.py."""
    return "topics apply" in line or "KAFKA_TOPIC_PREFIX=" in line


def bare(line: str) -> str:
    """A line without its comment, wherever the program is installed."""
    return line.partition(" #")[0].strip().removeprefix(".venv/bin/")


def filled(line: str, here: Mapping[str, str]) -> str:
    """A line with what is here in each place of one's own."""
    for pattern, place in PLACES:
        line = pattern.sub(place.format(**here), line)
    return line


def first_word(line: str) -> str:
    """What a line runs, without the settings before it."""
    return next((word for word in line.split() if not _SETTING.match(word)), "")


def arguments(line: str) -> tuple[str, ...] | None:
    """The arguments of the program; None for a line that does not run it."""
    words = shlex.split(line, comments=True)
    while words and _SETTING.match(words[0]):
        words.pop(0)
    if not words or Path(words[0]).name != PROGRAM:
        return None
    return tuple(words[1 : next((at for at, word in enumerate(words) if word in ("|", ">", "<")), len(words))])


def _of_blocks() -> Iterator[Group]:
    for number, (page, language, text) in enumerate(blocks()):
        if language == "sh":
            yield Group(f"{page.name} block {number}", tuple(_lines(text)))


def _lines(text: str) -> Iterator[str]:
    for line in _joined(text).splitlines():
        if stripped := line.strip():
            yield stripped


def _joined(text: str) -> str:
    return re.sub(r" *\\\n *", " ", text)


def _of_texts() -> Iterator[Group]:
    for page in PAGES:
        if page.name != HISTORY:
            text = _BLOCK.sub("", page.read_text("utf-8"))
            spans = (" ".join(span.split()) for span in _SPAN.findall(text))
            yield Group(f"{page.name} text", tuple(one for one in spans if _is_command(one)))


def _is_command(span: str) -> bool:
    first = first_word(span)
    return first in IN_TEXTS and not span.endswith(first)


def _of_helps() -> Iterator[Group]:
    for name, command in _commands():
        parts = re.split(r"\n|·", _joined(command.epilog or ""))
        lines = (part.strip().removeprefix("Examples:").strip() for part in parts)
        yield Group(f"{name} --help", tuple(line for line in lines if re.search(rf"(^|[=| ]){PROGRAM} ", line)))


def _commands() -> Iterator[tuple[str, click.Command]]:
    with click.Context(cli) as context:
        for name in COMMANDS:
            command = cli.get_command(context, name)
            assert command is not None
            yield name, command
            for sub, inner in getattr(command, "commands", {}).items():
                yield f"{name} {sub}", inner

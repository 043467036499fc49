"""This module runs each command that a page or a `--help` shows, as it stands there, beside one whole pipeline."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from settings import Settings
from streams.demo.stack import Options, Stack
from tests import http
from tests.forked import Ended, run
from tests.kafka.broker import free_ports
from tests.kafka.worker import wait_until
from tests.shown_commands import (
    DEMOS,
    PROGRAM,
    ROOT,
    STARTS,
    Group,
    arguments,
    bare,
    blocks,
    filled,
    first_word,
    groups,
    needs_real_kafka,
)

#: What is not run, by what it begins with, and why.
LEFT_OUT = {
    "aws ": "needs an account of AWS",
    "docker ": "needs a Docker daemon",
    "kubectl ": "needs a cluster",
    "make ": "is these tests, what CI runs beside them, or takes minutes to hours; its names are held by a unit test",
    "pip install ": "needs a package index",
    "python -m bench.": "measures, for minutes",
    "python -m pytest tests/kafka/test_upgrade.py": "is a test, and needs another version of the project",
}

EVENTS = 60


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline in which every event has ended, and what of it the pages speak of."""

    stack: Stack
    environment: dict[str, str]
    failed: dict[str, str]

    def as_run(self, line: str) -> str:
        """A line with the places of one's own filled in."""
        now = datetime.now(UTC)
        here = {
            **self.failed,
            "since": f"{now - timedelta(minutes=10):%Y-%m-%dT%H:%MZ}",
            "until": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "web": self.stack.web,
            "port": self.environment["OWN_PORT"],
        }
        return filled(line, here)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with Stack(Options(EVENTS, "stream", faults=False, rate=0.0, port=0)) as stack:
        wait_until("every event to end", lambda: _has_ended(stack))
        schema = (ROOT / "schemas" / "interaction" / "schema.json").read_text("utf-8")
        http.post(f"{stack.aws}/_emulator/schemas", json={"registry": "calls", "name": "one", "content": schema})
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**stack.environment, "GENESYS_SOURCE": "notifications", "PATH": path, "PYTHONPATH": str(ROOT)}
        listed = run(["failures", "list", "--json"], environment, tmp_path_factory.mktemp("failures"))
        newest = orjson.loads(listed.out)["newest"][0]
        record = newest["record"]
        partition = str(record["origin"]["partition"])
        yield Pipeline(
            stack,
            environment | {"OWN_PORT": str(free_ports(1)[0])},
            {"key": newest["key"], "event": record["eventId"], "partition": partition},
        )


def _has_ended(stack: Stack) -> bool:
    stack.check()
    try:
        answer = http.get(f"{stack.web}/api/report/")
    except httpx.TransportError:
        return False
    report = answer.json() if answer.status_code == 200 else {"raw": 0}
    return report["raw"] >= EVENTS and not report["inFlight"] and report["balanced"]


@pytest.fixture
def desk(tmp_path: Path, pipeline: Pipeline) -> Path:
    """A folder with the files that the pages name; one of its routes has its schema from a registry."""
    for folder in ("schemas", "new-routes", "new-schemas"):
        shutil.copytree(ROOT / "schemas", tmp_path / folder)
    pinned = tmp_path / "schemas" / "pinned"
    pinned.mkdir()
    shutil.copy(ROOT / "schemas" / "interaction" / "mapping.jsonata", pinned)
    (pinned / "filter.jsonata").write_text("false")
    (pinned / "route.toml").write_text('source = "s"\ndetail-type = "t"\nschema = "calls:one@1"\n')
    example = next((ROOT / "schemas" / "interaction" / "examples").glob("*.json")).read_bytes()
    for file in ("event.json", "events.jsonl"):
        (tmp_path / file).write_bytes(orjson.dumps(orjson.loads(example)["event"]) + b"\n")
    return tmp_path


def _left_out(line: str) -> str | None:
    """What of LEFT_OUT it begins with."""
    return next((start for start in LEFT_OUT if line[line.index(first_word(line)) :].startswith(start)), None)


def _runs_here(line: str) -> bool:
    return bare(line) not in DEMOS and not needs_real_kafka(line) and _left_out(line) is None


def _to_run() -> Iterator[Group]:
    """The groups with what is run here; what an earlier one has is left out of what texts and `--help` name."""
    seen: set[str] = set()
    for group in groups():
        named = " block " not in group.where
        lines = tuple(one for one in group.lines if _runs_here(one) and not (named and bare(one) in seen))
        seen.update(map(bare, lines))
        if lines:
            yield Group(group.where, lines)


@pytest.mark.parametrize("group", list(_to_run()), ids=lambda group: group.where)
def test_what_is_shown_runs(pipeline: Pipeline, desk: Path, group: Group):
    for line in group.lines:
        _try(pipeline, desk, line)


def _try(pipeline: Pipeline, desk: Path, line: str) -> None:
    if line.startswith("export "):
        names = {word.partition("=")[0].lower() for word in shlex.split(line, comments=True)[1:]}
        assert names <= set(Settings.model_fields), line
        return
    asked = pipeline.as_run(line)
    environment = pipeline.environment | {"ROUTES_DIR": str(desk / "schemas")}
    words = arguments(asked)
    if words is not None and words[0] == "worker":
        ended = _worker(asked, environment, desk)
    elif words == ("top",):
        ended = _on_a_terminal(asked, environment, desk)
    elif words is None or "|" in asked or first_word(asked) != asked.split()[0]:
        ended = _in_a_shell(asked, environment, desk)
    else:
        ended = run(words, environment, desk)
    told = f"{line}\n  as {asked}\n{ended.out[-2_000:]}\n{ended.err[-2_000:]}"
    assert ended.code == 0, f"exit code {ended.code}: {told}"
    assert "Traceback" not in ended.out + ended.err, told
    assert "nothing to read" not in ended.out + ended.err, told


def _in_a_shell(line: str, environment: dict[str, str], desk: Path) -> Ended:
    for tool in ("curl", "jq"):
        if re.search(rf"(^|\| ){tool} ", line) and shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    command = ["bash", "-o", "pipefail", "-c", line]
    ended = subprocess.run(command, env=environment, cwd=desk, capture_output=True, text=True, timeout=120, check=False)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def _worker(line: str, environment: dict[str, str], desk: Path) -> Ended:
    """Run a worker of a group of its own until it is ready, or has read its file, and stop it as a supervisor does."""
    own = {"KAFKA_TOPIC_PREFIX": f"{desk.name}.", "WEB_PORT": environment["OWN_PORT"], "DATA_DIR": str(desk / "data")}
    web = f"http://127.0.0.1:{own['WEB_PORT']}"
    log = desk / "worker.log"

    def is_ready() -> bool:
        try:
            return process.poll() is not None or http.get(f"{web}/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    with log.open("wb") as output:
        command = ["bash", "-c", f"exec {line}" if line.startswith(PROGRAM) else line]
        process = subprocess.Popen(command, env=environment | own, cwd=desk, stdout=output, stderr=output)
        try:
            wait_until(f"{line} to be ready", is_ready)
            process.send_signal(signal.SIGTERM)
            return Ended(process.wait(60), log.read_text("utf-8", "replace"), "")
        finally:
            process.kill()
            process.wait()


def _on_a_terminal(line: str, environment: dict[str, str], desk: Path) -> Ended:
    """Run what draws until somebody has enough, and press Ctrl-C once it has drawn."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(shlex.split(line), env=environment | {"TERM": "xterm"}, cwd=desk,
                               stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)  # fmt: skip
    os.close(theirs)
    drawn = b""
    try:
        while b"Ctrl-C ends" not in drawn and (piece := _read(ours)):
            drawn += piece
        process.send_signal(signal.SIGINT)
        while piece := _read(ours):
            drawn += piece
        return Ended(process.wait(60), drawn.decode("utf-8", "replace"), "")
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _read(terminal: int) -> bytes:
    """What is drawn next; nothing when nobody draws any more."""
    try:
        return os.read(terminal, 65_536) if select.select([terminal], [], [], 60)[0] else b""
    except OSError:  # the other end is closed
        return b""


def test_nothing_else_is_left_out():
    lines = [line for group in groups() for line in group.lines]
    left_out = [line for line in lines if _left_out(line) is not None]
    assert {start for line in left_out if (start := _left_out(line))} == set(LEFT_OUT), "each is of use"
    assert [line for line in left_out if PROGRAM in first_word(line)] == []
    assert {line for line in DEMOS if line not in map(bare, lines)} == set()


def test_blocks_that_hold_commands_say_that_they_are_of_a_shell():
    others = [text for _, language, text in blocks() if language != "sh"]
    assert [line for text in others for line in text.splitlines() if first_word(line) in STARTS] == []

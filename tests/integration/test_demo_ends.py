"""This module runs demos to their end, and ends them in every way there is: nothing goes on without them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests import http
from tests.kafka.pipeline import wait_until
from tests.shown_commands import DEMOS

ROOT = Path(__file__).resolve().parents[2]

#: Broker, two emulators and the worker.
PARTS = 4


KEYS = ["ingested", "filtered", "published", "failed", "duplicates", "lost", "seconds", "events_per_second"]


def children(process_id: int) -> list[int]:
    return [int(name) for name in Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()]


def is_alive(process_id: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_ready(parts: list[int]) -> bool:
    """Whether the worker among them says so, at the port that the demo chose."""
    ports = [port for one in parts for port in re.findall(r"WEB_PORT=(\d+)", environment(one))]
    try:
        return bool(ports) and http.get(f"http://127.0.0.1:{ports[0]}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def environment(process_id: int) -> str:
    return Path(f"/proc/{process_id}/environ").read_bytes().decode("utf-8", "replace")


@pytest.mark.parametrize(
    "arguments", [["--faults"], ["--source", "notifications"]], ids=["a stream with faults", "notifications"]
)
def test_a_demo_that_exits_accounts_for_every_event(arguments: list[str]):
    command = [sys.executable, "-m", "streams", "demo", "--events", "200", "--exit", *arguments]
    demo = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert demo.returncode == 0, demo.stderr[-2_000:]
    [line] = demo.stdout.splitlines()
    told = json.loads(line)
    assert list(told) == KEYS
    assert (told["lost"], told["ingested"]) == (0, told["filtered"] + told["published"] + told["failed"])
    assert told["ingested"] >= 200


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("shown", "works", "number", "code"),
    [
        (DEMOS[0], False, signal.SIGINT, 0),
        (DEMOS[1], False, signal.SIGTERM, 0),
        (DEMOS[2], True, signal.SIGKILL, -signal.SIGKILL),
        (DEMOS[3], False, signal.SIGHUP, 130),
    ],
    ids=["Ctrl-C", "a supervisor's stop", "killed", "a closed terminal, not all accounted for"],
)
def test_nothing_goes_on_without_it(tmp_path: Path, shown: str, works: bool, number: int, code: int):
    """Of the demos as pages and `--help` show them."""
    folder = {**os.environ, "TMPDIR": str(tmp_path)}
    with (tmp_path / "err").open("wb") as err:
        demo = subprocess.Popen(
            [sys.executable, "-m", "streams", *shown.split()[1:]],
            cwd=ROOT, env=folder, stdout=subprocess.DEVNULL, stderr=err,
        )  # fmt: skip
    try:
        parts = wait_until("the parts", lambda: found if len(found := children(demo.pid)) == PARTS else None)
        if works:
            wait_until("its worker to be ready", lambda: is_ready(parts))
        demo.send_signal(number)
        assert demo.wait(60) == code, (tmp_path / "err").read_text("utf-8", "replace")[-2_000:]
        wait_until("the parts to end", lambda: not any(map(is_alive, parts)))
    finally:
        demo.kill()
        demo.wait()
    folders = [path.name for path in tmp_path.iterdir() if re.match("genesys-eventbridge-demo-", path.name)]
    assert (folders == []) == (number != signal.SIGKILL)

"""This module runs demos to their end, and ends them in every way there is: nothing goes on without them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kafka.pipeline import wait_until

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
    ("number", "arguments", "code"),
    [
        (signal.SIGINT, [], 0),
        (signal.SIGTERM, [], 0),
        (signal.SIGHUP, ["--events", "100000", "--exit"], 130),
        (signal.SIGKILL, [], -signal.SIGKILL),
    ],
    ids=["Ctrl-C", "a supervisor's stop", "a closed terminal, not all accounted for", "killed"],
)
def test_nothing_goes_on_without_it(tmp_path: Path, number: int, arguments: list[str], code: int):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with (tmp_path / "err").open("wb") as err:
        demo = subprocess.Popen(
            [sys.executable, "-m", "streams", "demo", "--rate", "5", *arguments],
            cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=err,
        )  # fmt: skip
    try:
        parts = wait_until("the parts", lambda: found if len(found := children(demo.pid)) == PARTS else None)
        demo.send_signal(number)
        assert demo.wait(60) == code, (tmp_path / "err").read_text("utf-8", "replace")[-2_000:]
        wait_until("the parts to end", lambda: not any(map(is_alive, parts)))
    finally:
        demo.kill()
        demo.wait()
    folders = [path.name for path in tmp_path.iterdir() if re.match("genesys-eventbridge-demo-", path.name)]
    assert (folders == []) == (number != signal.SIGKILL)

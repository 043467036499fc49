"""Tests, in processes of their own, that a bug in a stage ends the process with nothing acked."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.exit import EXIT_BUG

ROOT = Path(__file__).parents[4]

BUG = """
import asyncio
from processors.metrics.counts import Counts
from streams.delivery.buffer import Batch
from streams.delivery.ledger import Ledger
from streams.faust_patches.fetched_record import FetchedRecord
from streams.delivery.stage import Stage, StageRunner, each
from streams.health import Health

class Event:
    def ack(self):
        print("acked", flush=True)

def acknowledge(settled):
    print("acked", flush=True)

async def a_stage(batch):
    {line}

async def write(delta):
    pass

ledger = Ledger(Counts(), Health(), write, acknowledge, grace_s=1.0)

async def main():
    stage = StageRunner(Stage("a_stage", max_events=1, linger_s=0.0), a_stage, ledger, lambda: 0)
    {run}
    await ledger.flush()
    print("went on", flush=True)

class Stream:
    def noack(self):
        return self
    async def events(self):
        yield Event()

def apply(event):
    raise KeyError("bug")

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("line", "run"),
    [
        ('raise RuntimeError("bug")', 'await stage.settle(Batch(0, [FetchedRecord("raw", 0, 0, 0, None, b"")]))'),
        ("pass", 'await each(Stream(), "a_stage", apply)'),
    ],
    ids=["an error in a stage", "an error in a table"],
)
def test_a_bug_ends_the_process_and_acks_nothing(line, run):
    ended = subprocess.run(
        [sys.executable, "-c", BUG.format(line=line, run=run)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == EXIT_BUG
    assert "acked" not in ended.stdout
    assert "went on" not in ended.stdout
    assert "a_stage" in ended.stdout + ended.stderr

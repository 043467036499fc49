"""This module tests the backfill that a page asks for: the command itself, in a process of its own."""

import asyncio
import sys

import pytest

from streams.views.trace import backfill
from streams.views.trace.backfill import Run, Runs, _asked

NOW_MS = 1_764_028_800_000


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Puts a script in the command's place; it is given the arguments."""

    def stands_for(text):
        script = tmp_path / "command"
        script.write_text(f"#!{sys.executable}\nimport sys\n{text}\n")
        script.chmod(0o755)
        monkeypatch.setattr(backfill.sys, "executable", str(script))

    return stands_for


async def ended(rehearsal=False):
    runs = Runs()
    ident = runs.begin(Run(NOW_MS - 60_000, NOW_MS, rehearsal, NOW_MS, "ann"))
    assert runs.is_running
    async with asyncio.timeout(30):
        await runs._task
    return runs.known[ident].as_json(ident)


async def test_what_the_command_prints_is_told(command):
    command('print(\'{"read": 3, "written": 2, "failed": 1}\')')
    told = await ended()
    assert (told["state"], told["read"], told["written"], told["failed"]) == ("done", 3, 2, 1)


async def test_the_command_is_given_the_stretch_and_whether_to_rehearse(command):
    command("import json; print(json.dumps({'read': len(sys.argv), 'notTold': sys.argv[1:]}))")
    told = await ended(rehearsal=True)
    assert told["notTold"] == [
        *("-m", "streams", "backfill", "--since", "2025-11-24T23:59:00.000Z"),
        *("--until", "2025-11-25T00:00:00.000Z", "--json", "--dry-run"),
    ]


async def test_the_command_records_who_asked_at_the_page(command):
    command("import json; from streams.replay.actions import operator; print(json.dumps({'read': operator()}))")
    assert (await ended())["read"] == "ann"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "print('waiting', file=sys.stderr); print('Genesys refuses', file=sys.stderr); sys.exit(2)",
            "Genesys refuses",
        ),
        ("sys.exit(1)", "the command ended without a word"),
    ],
)
async def test_a_failed_command_is_told_in_its_last_words(command, script, message):
    command(script)
    told = await ended()
    assert (told["state"], told["message"]) == ("failed", message)


async def test_what_runs_is_ended_with_the_worker(command):
    command("import time; time.sleep(600)")
    runs = Runs()
    ident = runs.begin(Run(NOW_MS - 1, NOW_MS, True, NOW_MS, "ann"))
    await asyncio.sleep(0.1)  # it may have begun by then, or not: both are ended
    runs.close()
    await asyncio.gather(runs._task, return_exceptions=True)
    assert (runs.known[ident].state, runs.known[ident].message) == ("failed", "the worker ended")
    assert not runs.is_running


def test_a_stretch_is_asked_for_by_ages_or_times():
    run = _asked({"from": "2h", "to": "2025-11-24T23:30:00Z", "dryRun": True}, NOW_MS, "ann")
    assert (run.since_ms, run.until_ms, run.is_rehearsal) == (NOW_MS - 7_200_000, NOW_MS - 1_800_000, True)
    assert _asked({"from": "1h"}, NOW_MS, "ann").until_ms == NOW_MS


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"from": 5},
        {"from": "soon"},
        {"from": "25h"},
        {"from": "1h", "to": "2h"},
        {"from": "1h", "dryRun": 1},
        {"from": "1h", "x": 1},
    ],
)
def test_anything_else_is_refused(body):
    with pytest.raises(ValueError, match=r"\w"):
        _asked(body, NOW_MS, "ann")

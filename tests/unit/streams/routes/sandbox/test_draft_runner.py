"""This module tests drafts in their process: what is hostile ends that process at most, and is told as a fault."""

import asyncio
import os
import signal
from dataclasses import replace

import orjson
import pytest

from processors.routes.draft import Draft
from streams.routes.sandbox import draft_runner
from streams.routes.sandbox.draft_runner import DraftLimits, DraftRunner, TooManyDraftsError

EVENT = orjson.dumps({"id": "i-1", "text": "a" * 40 + "!"}).decode()
LIMITS = DraftLimits(timeout_s=0.5, memory_bytes=96 * 1024 * 1024, max_bytes=200_000)
GOOD = Draft(filter="true", mapping='{"source": "s", "detail-type": "t", "detail": {}}', schema="{}")


@pytest.fixture
async def runner():
    runner = DraftRunner(LIMITS)
    yield runner
    await runner.close()
    assert runner.pid is None


def draft(**texts):
    return Draft(**{"filter": GOOD.filter, "mapping": GOOD.mapping, "schema": GOOD.schema, **texts})


async def test_one_process_tries_draft_after_draft(runner):
    first = await runner.attempt(GOOD, EVENT, 0)
    pid = runner.pid
    assert (first["outcome"], (await runner.attempt(draft(filter="("), EVENT, 0))["outcome"]) == ("mapped", "invalid")
    assert runner.pid == pid


PADDED = '$length($pad("", 200000000))'


@pytest.mark.parametrize(
    ("texts", "error"),
    [
        ({"mapping": "($f := function($x){ $f($x + 1) }; $f(1))"}, "MappingTimeout"),
        ({"schema": '{"properties": {"detail-type": {"pattern": "^(a+)+$"}}}',
          "mapping": '{"source": "s", "detail-type": text, "detail": {}}'}, "MappingTimeout"),
        ({"mapping": '{"source": "s", "detail-type": "t", "detail": {"a": $pad("", 300000, "x")}}'}, "EntryTooLarge"),
    ],
    ids=["endless", "a pattern of the schema", "a large answer"],
)  # fmt: skip
async def test_a_hostile_draft_fails_and_the_next_is_tried(runner, texts, error):
    found = await runner.attempt(draft(**texts), EVENT, 0)
    assert (found["outcome"], found["error"]) == ("failed", error)
    assert (await runner.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


@pytest.mark.parametrize(
    ("texts", "error"), [({"mapping": f'{{"a": {PADDED}}}'}, "MappingCrash"), ({"filter": PADDED}, "FilterCrash")]
)
async def test_what_takes_too_much_memory_fails(texts, error):
    runner = DraftRunner(replace(LIMITS, timeout_s=20.0))  # on a busy machine memory costs CPU time too
    found = await runner.attempt(draft(**texts), EVENT, 0)
    assert (found["outcome"], found["error"]) == ("failed", error)
    assert (await runner.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"
    await runner.close()


@pytest.mark.parametrize("event", ["[1]", "{", '{"a": 99999999999999999999}'])
async def test_what_is_no_event_fails_as_in_a_worker(runner, event):
    found = await runner.attempt(GOOD, event, 0)
    assert (found["outcome"], found["stage"]) == ("failed", "source")


async def test_a_process_that_somebody_ended_is_told_and_replaced(runner):
    await runner.attempt(GOOD, EVENT, 0)
    os.kill(runner.pid, signal.SIGKILL)
    found = await runner.attempt(GOOD, EVENT, 0)
    assert (found["outcome"], found["message"]) == ("failed", "the process that tried it died of SIGKILL")
    assert (await runner.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


async def test_who_comes_when_too_many_wait_is_sent_away(runner):
    asking = [asyncio.create_task(runner.attempt(GOOD, EVENT, 0)) for _ in range(draft_runner.MAX_WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyDraftsError):
        await runner.attempt(GOOD, EVENT, 0)
    assert {one["outcome"] for one in await asyncio.gather(*asking)} == {"mapped"}


async def test_who_goes_away_leaves_no_answer_for_the_next(runner):
    await runner.attempt(GOOD, EVENT, 0)
    asking = asyncio.create_task(runner.attempt(draft(mapping="{}"), EVENT, 0))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await runner.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


async def test_the_process_ends_when_nobody_asks(runner):
    runner.idle_s = 0.0
    await runner.attempt(GOOD, EVENT, 0)
    await asyncio.sleep(0.01)  # a turn of the loop's clock
    assert runner.pid is None
    assert (await runner.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


async def test_a_process_serves_a_bounded_number_of_drafts(runner):
    runner.max_drafts = 2
    pids = []
    for _ in range(3):
        await runner.attempt(GOOD, EVENT, 0)
        pids.append(runner.pid)
    assert pids[0] == pids[1] != pids[2]

"""This module tests drafts in their process: what is hostile ends that process at most, and is told as a fault."""

import asyncio
import os
import signal
from dataclasses import replace

import orjson
import pytest

from processors.routes.draft import Draft
from streams.routes.sandbox import draft_desk
from streams.routes.sandbox.draft_desk import BusyError, DraftDesk, DraftLimits

EVENT = orjson.dumps({"id": "i-1", "text": "a" * 40 + "!"}).decode()
LIMITS = DraftLimits(timeout_s=0.5, memory_bytes=96 * 1024 * 1024, max_bytes=200_000)
GOOD = Draft(filter="true", mapping='{"source": "s", "detail-type": "t", "detail": {}}', schema="{}")


@pytest.fixture
async def desk():
    desk = DraftDesk(LIMITS)
    yield desk
    await desk.close()
    assert desk.pid is None


def draft(**texts):
    return Draft(**{"filter": GOOD.filter, "mapping": GOOD.mapping, "schema": GOOD.schema, **texts})


async def test_one_process_tries_draft_after_draft(desk):
    first = await desk.attempt(GOOD, EVENT, 0)
    pid = desk.pid
    assert (first["outcome"], (await desk.attempt(draft(filter="("), EVENT, 0))["outcome"]) == ("mapped", "invalid")
    assert desk.pid == pid


PADDED = '$length($pad("", 1000000000))'


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
async def test_a_hostile_draft_fails_and_the_next_is_tried(desk, texts, error):
    found = await desk.attempt(draft(**texts), EVENT, 0)
    assert (found["outcome"], found["error"]) == ("failed", error)
    assert (await desk.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


@pytest.mark.parametrize(
    ("texts", "error"), [({"mapping": f'{{"a": {PADDED}}}'}, "MappingCrash"), ({"filter": PADDED}, "FilterCrash")]
)
async def test_what_takes_too_much_memory_fails(texts, error):
    desk = DraftDesk(replace(LIMITS, timeout_s=20.0))  # on a busy machine memory costs CPU time too
    found = await desk.attempt(draft(**texts), EVENT, 0)
    assert (found["outcome"], found["error"]) == ("failed", error)
    assert (await desk.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"
    await desk.close()


@pytest.mark.parametrize("event", ["[1]", "{", '{"a": 99999999999999999999}'])
async def test_what_is_no_event_fails_as_in_a_worker(desk, event):
    found = await desk.attempt(GOOD, event, 0)
    assert (found["outcome"], found["stage"]) == ("failed", "source")


async def test_a_process_that_somebody_ended_is_told_and_replaced(desk):
    await desk.attempt(GOOD, EVENT, 0)
    os.kill(desk.pid, signal.SIGKILL)
    found = await desk.attempt(GOOD, EVENT, 0)
    assert (found["outcome"], found["message"]) == ("failed", "the process that tried it died of SIGKILL")
    assert (await desk.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


async def test_who_comes_when_too_many_wait_is_sent_away(desk):
    asking = [asyncio.create_task(desk.attempt(GOOD, EVENT, 0)) for _ in range(draft_desk.MAX_WAITING + 1)]
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await desk.attempt(GOOD, EVENT, 0)
    assert {one["outcome"] for one in await asyncio.gather(*asking)} == {"mapped"}


async def test_who_goes_away_leaves_no_answer_for_the_next(desk):
    await desk.attempt(GOOD, EVENT, 0)
    asking = asyncio.create_task(desk.attempt(draft(mapping="{}"), EVENT, 0))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (await desk.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


async def test_the_process_ends_when_nobody_asks(desk, monkeypatch):
    monkeypatch.setattr(draft_desk, "IDLE_S", 0.0)
    await desk.attempt(GOOD, EVENT, 0)
    await asyncio.sleep(0.01)  # a turn of the loop's clock
    assert desk.pid is None
    assert (await desk.attempt(GOOD, EVENT, 0))["outcome"] == "mapped"


async def test_a_process_serves_a_bounded_number_of_drafts(desk, monkeypatch):
    monkeypatch.setattr(draft_desk, "MAX_DRAFTS", 2)
    pids = []
    for _ in range(3):
        await desk.attempt(GOOD, EVENT, 0)
        pids.append(desk.pid)
    assert pids[0] == pids[1] != pids[2]

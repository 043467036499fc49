"""Tests of what goes on: not what an earlier owner of the part sent, as it is or in another shape."""

import orjson
import pytest

from clients.genesys.queues import QueueNames
from clients.genesys.reader import Received
from clients.genesys.sieve import Sieve
from processors.notification import read_frame

TOPIC = "v2.users.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.conversations"

PAST_MS = 1_606_125_600_000
PAST = {"backfilled": True, "metadata": {"moment": "2020-11-23T10:00:00.000Z"}}


def frame(*states, **more):
    people = [{"id": f"p{n}", "purpose": "agent", "calls": [{"state": state}]} for n, state in enumerate(states)]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people, **more}})


def received(value):
    return Received(value, read_frame(value), 0)


@pytest.fixture
async def sieve(rest):
    names = QueueNames(rest)
    yield Sieve(rest, names, window=300.0, drop_unchanged=True)
    await names.aclose()


async def test_what_an_earlier_owner_sent_does_not_go_on(sieve, observer):
    sieve.remember(frame("connected"), 0)
    assert await sieve.live(received(frame("connected"))) is None
    assert observer.counts["frame_duplicate"] == 1


async def test_a_state_that_an_earlier_owner_sent_is_no_change(sieve, observer):
    sieve.remember(frame("connected"), 0)
    assert await sieve.live(received(frame("connected", score=5))) is None
    assert observer.counts["frame_unchanged"] == 1


async def test_a_backfilled_state_that_an_earlier_owner_sent_live_is_known(sieve, observer):
    sieve.remember(frame("alerting"), PAST_MS + 100)
    sieve.remember(frame("connected"), PAST_MS + 5_000)
    backfilled = orjson.loads(frame("alerting", startTime="2026-11-23T10:00:00Z")) | PAST
    assert await sieve.past(backfilled) is None
    assert observer.counts["backfill_known"] == 1


async def test_what_an_earlier_owner_sent_may_be_read_in_any_order(sieve, observer):
    sieve.remember(frame("terminated"), 20_000)
    sieve.remember(frame("connected"), 10_000)
    assert await sieve.live(received(frame("terminated", score=5))) is None
    assert observer.counts["frame_unchanged"] == 1


async def test_what_an_earlier_owner_backfilled_is_known_by_its_moment(sieve, observer):
    sieve.remember(frame("terminated"), PAST_MS + 5_000)
    sieve.remember(orjson.dumps(orjson.loads(frame("connected")) | PAST), PAST_MS + 9_000)
    assert await sieve.live(received(frame("terminated", score=5))) is None
    assert observer.counts["frame_unchanged"] == 1


async def test_a_state_that_came_back_in_a_gap_goes_on(sieve):
    assert await sieve.past(orjson.loads(frame("connected")) | PAST) is not None
    held = {"backfilled": True, "metadata": {"moment": "2020-11-23T10:00:05.000Z"}}
    assert await sieve.past(orjson.loads(frame("held")) | held) is not None
    again = {"backfilled": True, "metadata": {"moment": "2020-11-23T10:00:09.000Z"}}
    assert await sieve.past(orjson.loads(frame("connected", score=5)) | again) is not None


async def test_what_is_new_goes_on(sieve):
    sieve.remember(frame("connected"), 0)
    sieve.remember(b"no event", 0)
    assert await sieve.live(received(frame("terminated"))) == frame("terminated")


async def test_a_live_snapshot_that_repeats_what_was_backfilled_as_the_newest_is_no_change(sieve, observer):
    assert await sieve.past(orjson.loads(frame("connected")) | PAST) is not None
    later = {"backfilled": True, "metadata": {"moment": "2020-11-23T10:00:05.000Z"}}
    assert await sieve.past(orjson.loads(frame("terminated")) | later) is not None
    assert await sieve.live(received(frame("terminated", score=5))) is None
    assert observer.counts["frame_unchanged"] == 1


async def test_what_was_backfilled_from_before_the_newest_does_not_move_the_present(sieve, observer):
    assert await sieve.live(received(frame("terminated"))) is not None
    assert await sieve.past(orjson.loads(frame("connected")) | PAST) is not None
    assert await sieve.live(received(frame("terminated", score=5))) is None

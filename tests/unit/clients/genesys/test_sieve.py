"""Tests of what goes on: not what an earlier owner of the part sent, as it is or in another shape."""

import orjson
import pytest

from clients.genesys.queues import QueueNames
from clients.genesys.reader import Received
from clients.genesys.sieve import Sieve
from processors.notification import read_frame

TOPIC = "v2.users.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.conversations"


def frame(*states, **more):
    people = [
        {"id": f"p{n}", "purpose": "agent", "calls": [{"state": state}]} for n, state in enumerate(states)
    ]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people, **more}})


def received(value):
    return Received(value, read_frame(value), 0)


@pytest.fixture
async def sieve(rest):
    names = QueueNames(rest)
    yield Sieve(rest, names, window=300.0, drop_unchanged=True)
    await names.aclose()


async def test_what_an_earlier_owner_sent_does_not_go_on(sieve, observer):
    sieve.remember(frame("connected"))
    assert await sieve.live(received(frame("connected"))) is None
    assert observer.counts["frame_duplicate"] == 1


async def test_a_state_that_an_earlier_owner_sent_is_no_change(sieve, observer):
    sieve.remember(frame("connected"))
    assert await sieve.live(received(frame("connected", score=5))) is None
    assert observer.counts["frame_unchanged"] == 1


async def test_a_backfilled_state_that_an_earlier_owner_sent_live_is_known(sieve, observer):
    sieve.remember(frame("alerting"))
    sieve.remember(frame("connected"))
    backfilled = orjson.loads(frame("alerting", startTime="2026-11-23T10:00:00Z")) | {"backfilled": True}
    assert await sieve.past(backfilled) is None
    assert observer.counts["backfill_known"] == 1


async def test_what_is_new_goes_on(sieve):
    sieve.remember(frame("connected"))
    sieve.remember(b"no event")
    assert await sieve.live(received(frame("terminated"))) == frame("terminated")

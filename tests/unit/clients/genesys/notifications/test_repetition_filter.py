"""Tests of what goes on: not what an earlier owner of the part sent, as it is or in another shape."""

from datetime import UTC, datetime

import orjson
import pytest

from clients.genesys.notifications.channel_reader import ReceivedFrame
from clients.genesys.notifications.repetition_filter import Sieve
from clients.genesys.queues import QueueNames
from processors.event.identity import derive_event_id
from processors.genesys.frames import read_frame
from processors.genesys.snapshots import Snapshot

TOPIC = "v2.users.aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa.conversations"

PAST_MS = 1_606_125_600_000
PAST = {"backfilled": True, "metadata": {"moment": "2020-11-23T10:00:00.000Z"}}


def frame(*states, **more):
    people = [{"id": f"p{n}", "purpose": "agent", "calls": [{"state": state}]} for n, state in enumerate(states)]
    return orjson.dumps({"topicName": TOPIC, "eventBody": {"id": "c", "participants": people, **more}})


def received(value, at_ms=PAST_MS + 600_000):
    return ReceivedFrame(value, read_frame(value), at_ms, at_ms)


def told(state, seconds, until=None):
    """As the query tells: the conversation was so from `seconds` to `until` after PAST_MS."""
    at_ms = PAST_MS + seconds * 1000
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
    envelope = orjson.loads(frame(state)) | {"backfilled": True, "metadata": {"moment": moment}}
    return Snapshot(envelope, at_ms, None if until is None else PAST_MS + until * 1000)


async def states_on(sieve, *items):
    """The states that go on, of live frames `(state, seconds)` and of told ones."""
    found = []
    for item in items:
        if isinstance(item, Snapshot):
            line = await sieve.past(item)
        else:
            line = await sieve.live(received(frame(item[0]), PAST_MS + item[1] * 1000))
        if line is not None:
            event = orjson.loads(line)
            found.append((event["eventBody"]["participants"][0]["calls"][0]["state"], derive_event_id(event)))
    assert len({event_id for _, event_id in found}) == len(found), "an id came twice"
    return [state for state, _ in found]


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
    assert await sieve.past(told("alerting", 0, 5)) is None
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


async def test_states_that_came_back_in_a_gap_go_on(sieve):
    items = [told("connected", 0, 5), told("held", 5, 9), told("connected", 9, 20), told("held", 20)]
    assert await states_on(sieve, *items) == ["connected", "held", "connected", "held"]
    assert await states_on(sieve, *items) == [], "asked twice"


async def test_a_state_that_came_back_while_a_gap_was_not_healed_is_told(sieve):
    live = [("connected", 0), ("connected", 30)]  # held in between, while nobody listened
    assert await states_on(sieve, *live) == ["connected"]
    assert await states_on(sieve, told("held", 10, 30), told("connected", 30)) == ["held", "connected"]


async def test_a_state_that_comes_back_live_goes_on_though_its_body_is_that_of_the_first_time(sieve):
    live = [("connected", 0), ("held", 10), ("connected", 20), ("held", 30), ("connected", 40)]
    assert await states_on(sieve, *live) == ["connected", "held", "connected", "held", "connected"]


async def test_what_two_channels_bring_side_by_side_is_no_coming_back(sieve, observer):
    live = [("connected", 0), ("held", 1), ("connected", 1), ("held", 1), ("held", 2)]
    assert await states_on(sieve, *live) == ["connected", "held"]
    assert observer.counts["frame_duplicate"] == 3


async def test_a_coming_back_that_two_channels_bring_goes_on_once(sieve):
    live = [("connected", 0), ("held", 10), ("connected", 20), ("connected", 20), ("held", 30), ("held", 31)]
    assert await states_on(sieve, *live) == ["connected", "held", "connected", "held"]


async def test_what_came_back_before_another_owner_took_over_is_known(sieve):
    for state, seconds, more in (("connected", 0, {}), ("held", 10, {}), ("connected", 20, {"again": 1})):
        value = orjson.dumps(orjson.loads(frame(state)) | more)
        sieve.remember(value, PAST_MS + seconds * 1000)
    assert await states_on(sieve, told("held", 10, 20), told("connected", 20), ("connected", 40)) == []


async def test_what_is_new_goes_on(sieve):
    sieve.remember(frame("connected"), 0)
    sieve.remember(b"no event", 0)
    assert await sieve.live(received(frame("terminated"))) == frame("terminated")


async def test_a_live_snapshot_that_repeats_what_was_backfilled_as_the_newest_is_no_change(sieve, observer):
    assert await states_on(sieve, told("connected", 0, 5), told("terminated", 5)) == ["connected", "terminated"]
    assert await sieve.live(received(frame("terminated", score=5))) is None
    assert observer.counts["frame_unchanged"] == 1


async def test_what_was_backfilled_from_before_the_newest_does_not_move_the_present(sieve, observer):
    assert await sieve.live(received(frame("terminated"))) is not None
    assert await sieve.past(told("connected", 0, 599)) is not None
    assert await sieve.live(received(frame("terminated", score=5))) is None

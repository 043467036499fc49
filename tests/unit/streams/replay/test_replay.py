"""This module tests how records are written again, whatever they look like."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from clients.kafka.ranges import Range, RangeBounds
from streams.replay.replay import Replay, ReplayPlan, ReplayProgress


def record(offset, key, value):
    return SimpleNamespace(
        topic="raw", partition=0, offset=offset, key=key, value=value, headers=(("x", None),), timestamp=1_000
    )


class FakeReader:
    """Gives these records as one chunk."""

    def __init__(self, *records):
        self._records = list(records)

    async def chunks(self, what, size):
        yield self._records
        what.next[0] = self._records[-1].offset + 1


class FakeWriter:
    """Brokers that refuse these values; a record of nothing is a fault of the caller's, as it is for aiokafka."""

    def __init__(self, *refused):
        self._refused = refused
        self.written = []

    async def write(self, records):
        assert all(one.key is not None or one.value is not None for one in records)
        self.written += records
        return ["Kafka is full" if one.value in self._refused else None for one in records]


RECORDS = (record(0, None, b"a"), record(1, None, None), record(2, b"k", None), record(3, None, b"b"))


async def replay(writer):
    plan = ReplayPlan(RangeBounds(), into="copy", run="replay-1")
    replaying = Replay(plan, ReplayProgress(Range("raw", {0: 0}, {0: 4})), asyncio.Event())
    return await replaying.run(FakeReader(*RECORDS), writer, lambda done: None)


async def test_a_record_with_neither_key_nor_value_is_skipped_and_counted():
    writer = FakeWriter()
    progress = await replay(writer)
    assert (progress.read, progress.written, progress.skipped) == (4, 3, 1)
    assert [(one.key, one.value) for one in writer.written] == [(None, b"a"), (b"k", None), (None, b"b")]


@pytest.mark.parametrize(("refused", "next_offset", "skipped"), [(b"a", 0, 0), (b"b", 3, 1)])
async def test_a_refusal_is_where_a_replay_goes_on(refused, next_offset, skipped):
    progress = await replay(FakeWriter(refused))
    assert (progress.stopped, progress.what.next[0], progress.skipped) == ("Kafka is full", next_offset, skipped)


async def test_what_is_confirmed_is_told_before_more_is_read():
    told = []
    plan = ReplayPlan(RangeBounds(), into="copy", run="replay-1")
    progress = ReplayProgress(Range("raw", {0: 0}, {0: 4}))
    confirmed = lambda at: told.append((at.what.next[0], at.written))  # noqa: E731
    await Replay(plan, progress, asyncio.Event(), confirmed).run(FakeReader(*RECORDS), FakeWriter(), lambda done: None)
    assert told == [(4, 3)]


async def test_a_replay_that_had_reached_its_limit_writes_no_more():
    writer, progress = FakeWriter(), ReplayProgress(Range("raw", {0: 0}, {0: 4}), read=2)
    plan = ReplayPlan(RangeBounds(), into="copy", run="replay-1", limit=2)
    await Replay(plan, progress, asyncio.Event()).run(FakeReader(*RECORDS), writer, lambda done: None)
    assert (writer.written, progress.limited) == ([], True)


async def test_headers_can_be_left_out():
    writer, given = FakeWriter(), record(0, b"k", b"v")
    given.headers = (("event-id", b"e-1"), ("received-at", b"7"), ("route", b"calls"))
    plan = ReplayPlan(RangeBounds(), into="copy", run="replay-1", dropped=("route", "received-at"))
    progress = ReplayProgress(Range("raw", {0: 0}, {0: 1}))
    await Replay(plan, progress, asyncio.Event()).run(FakeReader(given), writer, lambda done: None)
    assert [one.headers for one in writer.written] == [(("event-id", b"e-1"), ("replayed", b"replay-1"))]

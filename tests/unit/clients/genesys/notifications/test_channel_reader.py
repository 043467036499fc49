"""Tests of the moment up to which a channel is known to be read: gaps begin there."""

import asyncio

import pytest
from pydantic import SecretStr

from clients.genesys.notifications.channel_api import Channel
from clients.genesys.notifications.channel_reader import ChannelReader
from clients.genesys.notifications.connection import Pings
from processors.event.lines import OversizedLine

EVENT = b'{"topicName":"v2.x","eventBody":{}}'
PONG = b'{"topicName":"channel.metadata","eventBody":{"message":"pong"}}'


class Covered:
    def up(self, reader):
        """Nothing to note."""

    def down(self, reader, since_ms):
        """Nothing to note."""

    def doubt(self, reader, reason):
        """Nothing to note."""


@pytest.fixture
async def reading(rest, fake_time):
    return Reading(rest, fake_time)


class Reading:
    """A reader whose consumer takes `delay` seconds for a frame; `received` are its frames."""

    def __init__(self, rest, fake_time) -> None:
        channel = Channel("streaming-0-x", SecretStr("ws://127.0.0.1:1/channels/x"), 86_400)
        self.reader = ChannelReader(channel, rest, silence=1, max_bytes=100, put=self._put, coverage=Covered())
        self.received, self.sent, self.delay, self._time = [], [], 0.0, fake_time
        self.reader._pings = Pings(self)  # as an open socket has them

    async def send(self, text):
        self.sent.append(text)

    async def _put(self, item):
        self.received.append(item)
        self._time.now += self.delay

    async def take(self, network=0.0, consumer=0.0, value=EVENT, stalled=0.0, ticks=False):
        """One frame that came after `network` seconds of waiting, and after others in which the process stood still.

        `ticks`: the reader's tick comes before the frame. Gives the moment known to be read, in s.
        """
        self.delay = consumer
        self._time.now += network
        self.reader._ticked_s = self._time.clock().wall()
        self._time.now += stalled
        if ticks:
            self.reader._note_stall(self._time.clock().wall())
        self.taken_at = self._time.clock().wall()
        assert await self.reader._received(value)
        return self.received[-1].since_ms / 1000


async def test_each_frame_moves_the_moment_on(reading):
    assert await reading.take(network=5) == reading.taken_at
    assert await reading.take(network=0) == reading.taken_at
    assert await reading.take(network=3) == reading.taken_at


async def test_frames_that_queued_while_the_consumer_was_slow_do_not(reading):
    level = await reading.take(network=5, consumer=60)
    assert await reading.take() == level
    assert await reading.take(consumer=30) == level
    assert await reading.take() == level
    assert await reading.take(network=1.5) == reading.taken_at > level


async def test_many_short_waits_add_up(reading):
    for _ in range(3):
        level = await reading.take(network=0.03, consumer=0.4)
    for _ in range(60):
        assert await reading.take(network=0.03, consumer=0.4) == level


async def test_who_may_be_behind_asks_and_knows_by_the_answer_what_has_come(reading):
    await reading.take(network=5, consumer=0.9)
    assert reading.sent == []
    await reading.take(consumer=30)
    asked_at = reading.taken_at + 30
    level = await reading.take(consumer=30)
    assert reading.sent == ['{"message":"ping"}']
    assert level < asked_at
    assert await reading.take(value=PONG) == asked_at, "what was sent before the ping has come"
    assert await reading.take() == asked_at, "the answer is 30 s old itself"
    assert len(reading.sent) == 2
    assert await reading.take(network=0.1, value=PONG) == reading.taken_at


@pytest.mark.parametrize("ticks", [False, True])
async def test_who_stood_still_may_be_behind_though_it_looked_like_a_wait_for_the_network(reading, ticks):
    level = await reading.take(network=5)
    assert await reading.take(stalled=16, ticks=ticks) == level
    asked_at = reading.taken_at
    assert await reading.take() == level
    await reading.take(network=0.2, value=PONG)
    assert reading.received[-1].since_ms / 1000 == reading.taken_at > asked_at


async def test_a_reader_to_be_left_has_read_what_was_sent_by_then(reading, until):
    finishing = asyncio.create_task(reading.reader.finish())
    await until(lambda: reading.sent)
    await reading.take()
    assert not finishing.done()
    await reading.take(value=PONG)
    await finishing


async def test_a_reader_whose_socket_ended_has_nothing_to_finish(reading):
    reading.reader._pings = None
    await reading.reader.finish()
    assert reading.sent == []


async def test_a_closing_notice_asks_for_a_successor_and_reading_goes_on(reading):
    await reading.take(value=b'{"topicName":"v2.system.socket_closing","eventBody":{}}')
    assert reading.reader.leaving.result() == "closing notice"
    await reading.take()


async def test_a_404_result_ends_the_reading(reading):
    assert await reading.reader._received(b'{"result":"404"}') is False
    assert reading.received == []


async def test_an_oversized_frame_is_passed_on(reading):
    line = OversizedLine(b"x", 10_000_000)
    assert await reading.reader._received(line)
    assert reading.received[0].value is line

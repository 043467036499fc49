"""Tests of what is told as a gap: the time that no socket covered, and no more than a margin beside it."""

from pydantic import SecretStr

from clients.genesys.notifications.channel_api import Channel
from clients.genesys.notifications.channel_reader import ChannelReader
from clients.genesys.notifications.coverage import TopicCoverage
from processors.genesys.interval import Interval


async def test_a_gap_is_widened_at_both_ends_and_two_channels_side_by_side_leave_none(rest, fake_time):
    gaps = []

    async def put(frame):
        raise AssertionError("nothing is read here")

    coverage = TopicCoverage(rest, 5_000, None, gaps.append, lambda: None)

    def reader():
        channel = Channel("c", SecretStr("wss://somewhere"), 86_400)
        return ChannelReader(channel, rest, silence=30, max_bytes=1_000, put=put, coverage=coverage)

    old, new = reader(), reader()
    old.opened_ms = down_ms = rest.clock.wall_ms()
    coverage.up(old)
    coverage.down(old, down_ms)
    fake_time.now += 30
    coverage.up(old)
    assert gaps == [Interval(down_ms - 5_000, down_ms + 30_000 + 5_000)]
    gaps.clear()
    new.opened_ms = down_ms + 40_000
    coverage.up(new)
    coverage.down(old, down_ms + 50_000)
    assert gaps == []
    coverage.down(new, down_ms + 60_000)
    assert gaps == []
    fake_time.now += 90
    coverage.up(old)
    gaps.clear()
    new.opened_ms = rest.clock.wall_ms()
    coverage.up(new)
    coverage.down(old, new.opened_ms - 9_000)  # cut for nine seconds when it is left, and nobody had seen it
    assert gaps == [Interval(new.opened_ms - 9_000 - 5_000, new.opened_ms + 5_000)]

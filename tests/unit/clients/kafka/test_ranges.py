"""Tests of how a range of a topic is left before its end."""

from types import SimpleNamespace

import pytest

from clients.kafka.ranges import Range, RangeBounds, Reader
from processors.replay.selection import Span


@pytest.mark.parametrize(
    ("end", "reason"),
    [({0: 9, 1: 5}, "stopped"), ({0: 2, 1: 8}, "stopped"), ({0: 2, 1: 5}, "")],
    ids=["another partition is open", "so is this one", "all was read"],
)
def test_a_range_that_is_left_goes_on_behind_its_chunk(end, reason):
    what = Range("raw", {0: 2, 1: 3}, end)
    chunk = [SimpleNamespace(partition=1, offset=offset) for offset in (3, 4)]
    assert what.leave(chunk) == reason
    assert what.next == {0: 2, 1: 5}


class FakeConsumer:
    """A topic of two partitions: one of 100 records, one a second, and one of 7 from long ago."""

    begins, ends = {0: 0, 1: 3}, {0: 100, 1: 10}

    async def beginning_offsets(self, places):
        return {place: self.begins[place.partition] for place in places}

    async def end_offsets(self, places):
        return {place: self.ends[place.partition] for place in places}

    async def offsets_for_times(self, moments):
        found = {place: ms // 1000 if place.partition == 0 else 3 if ms == 0 else None for place, ms in moments.items()}
        return {place: None if at is None else SimpleNamespace(offset=at) for place, at in found.items()}


@pytest.mark.parametrize(
    ("since", "newest", "first"),
    [(None, None, {0: 0, 1: 3}), (40_000, None, {0: 40, 1: 10}), (40_000, 5, {0: 95, 1: 10}), (None, 8, {0: 92, 1: 3})],
    ids=["all", "since", "the newest since", "the newest"],
)
async def test_a_range_begins_where_its_bounds_say_and_never_before_the_newest_that_are_asked_for(since, newest, first):
    reader = Reader(FakeConsumer(), "raw", 2)
    what = await reader.range(RangeBounds(Span(since=since)), newest)
    assert (what.next, what.end) == (first, {0: 100, 1: 10})

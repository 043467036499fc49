"""This module tests reading a topic from its end backwards, over a reader of lists."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from clients.kafka.ranges import Range, RangeBounds
from processors.replay.selection import Span
from streams.delivery.packed_producer import partition_of
from streams.replay.lookup.backwards import BackwardLook, Budget


class ListReader:
    """Partitions as lists of timestamps; offsets count from 0. `asked`: offsets that were read."""

    topic = "genesys.raw"
    looks_up = False  # by time, as real brokers do

    def __init__(self, *partitions):
        self._partitions = partitions
        self.asked = []

    async def range(self, bounds):
        wanted = bounds.partitions or range(len(self._partitions))
        ends = {one: len(self._partitions[one]) for one in wanted}
        since = bounds.span.since if self.looks_up else None
        if since is None:
            return Range(self.topic, dict.fromkeys(wanted, 0), ends)
        later = {one: [at for at, moment in enumerate(self._partitions[one]) if moment >= since] for one in wanted}
        return Range(self.topic, {one: min(found, default=ends[one]) for one, found in later.items()}, ends)

    async def chunks(self, what):
        for partition in what.open:
            offsets = range(what.next[partition], what.end[partition])
            self.asked += [(partition, offset) for offset in offsets]
            yield [
                SimpleNamespace(
                    partition=partition, offset=offset, timestamp=self._partitions[partition][offset], value=b"x" * 10
                )
                for offset in offsets
            ]
            what.next[partition] = what.end[partition]


async def read(look):
    return [[(one.partition, one.offset) for one in part] async for part in look.slices()]


def look(reader, budget=None, span=None, slice_size=2, **more):
    bounds = RangeBounds(span or Span())
    return BackwardLook(reader, bounds, budget or Budget.of(1_000, 60.0), slice_size, **more)


async def test_slices_come_from_the_end_newest_first_over_all_partitions():
    back = look(ListReader([10, 20, 30], [15, 25]))
    assert await read(back) == [[(0, 2), (1, 1), (0, 1), (1, 0)], [(0, 0)]]
    assert (back.read, back.complete) == (5, True)


async def test_it_stops_when_enough_records_were_read_and_says_how_far_back_all_was_seen():
    back = look(ListReader([10, 20, 30, 40], [35, 36, 37, 38]), Budget.of(3, 60.0))
    assert await read(back) == [[(0, 3), (1, 3), (1, 2), (0, 2)]]
    assert (back.complete, back.since_ms) == (False, 37)  # of the second partition nothing before is known


async def test_it_stops_when_the_time_is_over():
    back = look(ListReader([10, 20]), Budget.of(1_000, 0.0))
    assert await read(back) == []
    assert not back.complete


async def test_a_partition_is_left_when_its_records_are_older_than_the_span():
    reader = ListReader(list(range(0, 100, 10)), [500, 600])
    back = look(reader, span=Span(since=85))
    assert await read(back) == [[(1, 1), (1, 0), (0, 9)]]
    assert (back.complete, min(reader.asked)) == (True, (0, 8))


@pytest.mark.parametrize("looks_up", [True, False])
async def test_a_look_before_a_moment_begins_there_where_brokers_look_up_by_time(looks_up):
    reader = ListReader(list(range(100)), list(range(500, 600)))
    reader.looks_up = looks_up
    back = look(reader, span=Span(until=50), slice_size=10)
    assert [one for part in await read(back) for one in part] == [(0, offset) for offset in range(49, -1, -1)]
    assert ((0, 99) in reader.asked) is not looks_up


async def test_what_is_not_kept_is_not_held_and_counts_as_read():
    back = look(ListReader([10, 20, 30, 40]))
    assert [[one.offset for one in part] async for part in back.slices(lambda one: one.offset == 1)] == [[], [1]]
    assert (back.read, back.complete) == (4, True)


async def test_records_too_large_to_be_held_end_the_look():
    back = look(ListReader([10, 20], [30, 40], [50, 60]), max_bytes=15)
    assert await read(back) == [[(0, 1), (0, 0)]]
    assert not back.complete


async def test_an_empty_topic_is_read_at_once():
    back = look(ListReader([], []))
    assert (await read(back), back.complete) == ([], True)


@pytest.mark.parametrize(
    ("key", "partition"),
    [  # by org.apache.kafka.common.utils.Utils.murmur2, as Kafka's own tests have it: toPositive(hash) % 1000
        (b"21", 340),
        (b"foobar", 166),
        (b"a-little-bit-long-string", 112),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 677),
    ],
)
def test_a_key_has_the_partition_that_kafkas_own_producers_give_it(key, partition):
    assert partition_of(key, 1000) == partition

"""Tests of a range of a topic: where it begins, and what of it is not there."""

from types import SimpleNamespace

import pytest

from clients.kafka.range_reader import Reader
from clients.kafka.ranges import MissingRange, Range, RangeBounds, RangeError
from processors.replay.selection import OffsetBounds, Span


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


@pytest.mark.parametrize(
    ("first", "end", "missing"),
    [
        ((), (), []),
        (((1, 3),), ((1, 10),), []),
        (((1, 0),), (), [(1, 0, 3, True)]),
        (((1, 0),), ((1, 2),), [(1, 0, 2, True)]),
        (((1, 5),), ((1, 15),), [(1, 10, 15, False)]),
        (((1, 12),), ((1, 15),), [(1, 12, 15, False)]),
        (((1, 12),), (), [(1, 12, 12, False)]),
        (((1, 0),), ((1, 15),), [(1, 0, 3, True), (1, 10, 15, False)]),
        (((None, 0),), (), [(1, 0, 3, True)]),
        (((1, 5),), ((1, 5),), []),
    ],
    ids=["nothing asked", "all there", "expired", "all expired", "beyond", "all beyond", "from beyond", "both",
         "of every partition", "an empty range"],
)  # fmt: skip
async def test_offsets_that_were_asked_for_and_are_not_there_are_told(first, end, missing):
    reader = Reader(FakeConsumer(), "raw", 2)
    what = await reader.range(RangeBounds(first=OffsetBounds(first), end=OffsetBounds(end)))
    assert what.missing == [MissingRange("raw", *one) for one in missing]


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        (MissingRange("raw", 0, 0, 1000, True),
         "raw partition 0: offsets 0 to 999 (1000) are not there: Kafka has deleted them (retention)"),
        (MissingRange("raw", 0, 5, 6, False),
         "raw partition 0: offsets 5 to 5 (1) are not there: they are beyond the end of the topic"),
        (MissingRange("raw", 0, 5, 5, False), "raw partition 0: there is nothing from offset 5 on, it ends before"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_one_line(missing, text):
    assert str(missing) == text


class Shrinking(FakeConsumer):
    """A partition of which retention deletes the records up to offset 40 after the first were read."""

    def __init__(self):
        self.at, self.begins = 0, {0: 0}

    def assign(self, places):
        self.places = places

    def assignment(self):
        return self.places

    def seek(self, place, offset):
        self.at = offset

    def pause(self, place):
        pass

    def paused(self):
        return []

    async def position(self, place):
        return self.at

    async def getmany(self, timeout_ms, max_records):
        if self.at == 10:
            self.begins = {0: 40}
        first = max(self.at, self.begins[0])
        self.at = min(first + 10, 100)
        return {self.places[0]: [SimpleNamespace(partition=0, offset=offset) for offset in range(first, self.at)]}


async def test_what_is_deleted_while_it_is_read_is_told():
    reader = Reader(Shrinking(), "raw", 1)
    what = Range("raw", {0: 0}, {0: 100})
    read = [record.offset async for chunk in reader.chunks(what) for record in chunk]
    assert read == [*range(10), *range(40, 100)]
    assert what.missing == [MissingRange("raw", 0, 10, 40, True)]


@pytest.mark.parametrize("records", [True, False], ids=["by its records", "by its position"])
async def test_a_range_is_not_read_twice(records):
    consumer = Shrinking()
    fetches = iter([range(10), range(5) if records else range(0), range(10)])

    async def getmany(timeout_ms, max_records):
        found = next(fetches)
        consumer.at = found.stop
        return {consumer.places[0]: [SimpleNamespace(partition=0, offset=one) for one in found]} if found else {}

    async def read(what):
        return [len(chunk) async for chunk in Reader(consumer, "raw", 1).chunks(what)]

    consumer.getmany = getmany
    what = Range("raw", {0: 0}, {0: 100})
    with pytest.raises(RangeError, match="went back from offset 10 to 0"):
        await read(what)
    assert what.next == {0: 10}

"""Tests of lanes: whole fetches to stages, no more while they are full, and acks by range into the books."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.consumer.fetcher import PartitionRecords

from streams.faust_patches import fetch, lanes, partitions
from streams.faust_patches.fetched_record import FetchedRecord, fetched_record
from streams.faust_patches.partition_books import PartitionBooks, books_of
from tests.unit.streams.faust_patches.fake_consumer import TABLE, TP0, TP1, ready, unpatched

pytestmark = pytest.mark.usefixtures("by_lanes")


def records(tp, *offsets):
    return [FetchedRecord(*tp, offset, 0, None, None) for offset in offsets]


class Putting:
    """A lane that keeps the parts it was given."""

    is_full = is_busy = False

    def __init__(self):
        self.parts = []

    def put(self, part):
        self.parts.append(part)


async def test_a_fetch_goes_to_its_stage_as_it_came_and_the_rest_to_the_streams():
    consumer = await ready(first=5)
    lane = consumer.app.lanes["genesys.raw"] = Putting()
    found = records(TP0, 5, 6, 7)
    rest = lanes.fill_lanes(consumer, {TP0: found, TABLE: [1]}, {TP0, TABLE})
    (part,) = lane.parts
    assert part.records is found, "not one record was touched"
    assert (part.tp, part.generation, part.books) == (TP0, 1, books_of(consumer)[TP0])
    assert rest == {TABLE: [1]}


async def test_of_a_fetch_that_overlaps_what_is_due_is_one_part():
    consumer = await ready(first=5)
    lane = consumer.app.lanes["genesys.raw"] = Putting()
    lanes.fill_lanes(consumer, {TP0: records(TP0, 3, 4, 5, 8)}, None)
    (part,) = lane.parts
    assert [one.offset for one in part.records] == [5, 8]
    assert part.covers(TP0, 6), "it is a hole, which has ended with them"


async def test_what_ended_in_any_order_is_acked_by_ranges():
    consumer = await ready(first=5)
    await consumer.fetch(TP0, *range(5, 20))
    consumer.ack(9, 7, 8, 12)
    books = books_of(consumer)[TP0]
    assert partitions.new_offset(consumer, TP0) is None
    assert books.offsets.settled_above(5, set()) == [(7, 10), (12, 13)]
    consumer.ack(6, 5)
    assert partitions.new_offset(consumer, TP0) == 10


async def test_who_waits_for_acks_hears_of_them():
    consumer = await ready(first=5)
    consumer._waiting_for_ack = asyncio.get_running_loop().create_future()
    lanes.acknowledge(consumer, [])
    assert consumer._waiting_for_ack.done()


async def test_an_ack_from_before_a_revocation_commits_nothing():
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6)
    before = books_of(consumer)[TP0]
    await partitions.on_partitions_revoked(consumer, {TP0, TP1})
    await partitions.perform_seek(consumer)
    lanes.acknowledge(consumer, [({0: before}, records(TP0, 5, 6))])
    assert partitions.new_offset(consumer, TP0) is None


async def test_an_ack_from_a_log_that_was_made_anew_is_not_the_new_one_s():
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6)
    before = books_of(consumer)[TP0]
    consumer.positions[TP0] = 0
    await fetch._hand_out(consumer, {}, {TP0}, {})
    assert books_of(consumer)[TP0] is not before
    lanes.acknowledge(consumer, [({0: before}, records(TP0, 5, 6))])
    assert books_of(consumer)[TP0].offsets.settled_above(0, set()) == []


def consumer_of(*topics, full=()):
    """A consumer whose partitions all flow, and what it is asked for."""
    consumer = SimpleNamespace(asked=[])
    consumer.app = SimpleNamespace(lanes={name: SimpleNamespace(is_full=name in full) for name in topics})

    async def getmany(active_partitions, timeout):
        consumer.asked.append((set(active_partitions), timeout))
        return {}

    async def wait_next_records(timeout):
        consumer.asked.append((None, timeout))
        return {}, {TP0, TABLE}

    consumer._getmany, consumer._wait_next_records = getmany, wait_next_records
    consumer._get_active_partitions = lambda: {TP0, TP1, TABLE}
    return consumer


async def test_no_more_is_fetched_for_a_lane_that_is_full_and_it_is_looked_at_again_soon():
    consumer = consumer_of("genesys.raw", full=("genesys.raw",))
    await lanes.next_records(consumer)
    assert consumer.asked == [({TABLE}, lanes.FULL_S)]


async def test_while_there_is_room_a_fetch_waits_its_time():
    consumer = consumer_of("genesys.raw", "genesys.validated")
    await lanes.next_records(consumer)
    assert consumer.asked == [(None, lanes.FETCH_S)]


async def test_when_all_is_full_nothing_is_asked_for():
    """aiokafka takes no partitions for all."""
    consumer = consumer_of("genesys.raw", TABLE.topic, full=("genesys.raw", TABLE.topic))
    found, active = await lanes.next_records(consumer)
    assert (found, active, consumer.asked) == ({}, {TP0, TP1, TABLE}, [])


def test_a_record_is_as_aiokafka_makes_it():
    made = SimpleNamespace(
        offset=7, timestamp=1_000, timestamp_type=0, key=b"k", value=b"v", headers=[("a", b"1")], checksum=None
    )
    theirs = unpatched(PartitionRecords)._consumer_record(
        SimpleNamespace(_key_deserializer=None, _value_deserializer=None), TP0, made
    )
    ours = fetched_record(None, TP0, made)
    for name in FetchedRecord.__slots__:
        assert getattr(ours, name) == getattr(theirs, name), name


def test_books_are_told_from_one_another():
    offsets = SimpleNamespace()
    assert PartitionBooks(offsets) != PartitionBooks(offsets), "acks are counted by them"

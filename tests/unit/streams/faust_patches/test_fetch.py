"""Tests of what is delivered: each record once, in order, and a jump is read again before it is believed."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import IllegalStateError
from mode.utils.queues import FlowControlEvent, ThrowableQueue

from streams.faust_patches import fetch, partitions
from streams.faust_patches.fetched_record import FetchedRecord
from streams.faust_patches.partition_books import books_of
from tests.unit.streams.faust_patches.fake_consumer import TABLE, TP0, FakeConsumer, ready


@pytest.mark.usefixtures("way")
async def test_records_that_a_rebalance_dropped_are_read_again_and_not_called_a_hole(dead):
    """Stock Faust, _drain_messages: 6 to 16 are counted as acked when 17 comes after 5."""
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5)
    await consumer.fetch(TP0, 17, 18)
    assert consumer.offsets() == [5]
    assert consumer.sought[-1] == {TP0: 6}
    await consumer.fetch(TP0, *range(6, 19))
    assert consumer.offsets() == list(range(5, 19))
    consumer.ack(5, 17, 18)
    assert partitions.new_offset(consumer, TP0) == 6
    assert dead == []


@pytest.mark.usefixtures("way")
async def test_a_true_hole_is_passed(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 8, 9)
    assert consumer.offsets() == []
    await consumer.fetch(TP0, 8, 9)
    consumer.ack(8)
    assert partitions.new_offset(consumer, TP0) == 9
    assert dead == []


@pytest.mark.usefixtures("way")
async def test_a_partition_that_was_revoked_before_it_could_be_read_again_is_left():
    consumer = await ready(first=5)
    consumer.fails = IllegalStateError("not assigned")
    await consumer.fetch(TP0, 8)
    await consumer.fetch(TP0, 8)
    assert consumer.offsets() == [], "a seek that failed proves no hole"


@pytest.mark.usefixtures("way")
async def test_nothing_is_delivered_before_the_partition_was_sought():
    consumer = FakeConsumer(first=5)
    await consumer.fetch(TP0, 5, 6)
    assert consumer.offsets() == []


@pytest.mark.usefixtures("way")
async def test_the_end_of_a_log_that_was_left_out_is_read_again_though_nothing_follows():
    """A fetch that came just before its partition was resumed: no later record would show the jump."""
    consumer = await ready(first=0)
    for _ in range(3):  # what is left out again is still no hole
        await consumer.fetch(TP0, 0, 1, 2, active=set(consumer.logs) - {TP0})
    assert consumer.sought[1:] == [{TP0: 0}] * 3
    await consumer.fetch(TP0, 0, 1, 2)
    assert consumer.offsets() == [0, 1, 2]


@pytest.mark.usefixtures("way")
async def test_a_hole_at_the_end_of_a_log_is_read_again_once_and_passed(dead):
    consumer = await ready(first=0)
    await consumer.fetch(TP0, 0)
    for _ in range(3):
        consumer.positions[TP0] = 2  # behind the marker of a transaction
        await fetch._hand_out(consumer, {}, {TP0}, {})
    assert consumer.sought[1:] == [{TP0: 1}]
    consumer.ack(0)
    assert partitions.new_offset(consumer, TP0) == 2


@pytest.mark.usefixtures("way")
async def test_a_log_that_was_made_anew_is_read_from_where_it_begins(dead):
    """Its offsets are below what was due: they are no repetitions, and what was acked of the old log is not theirs."""
    consumer = await ready(first=0)
    await consumer.fetch(TP0, *range(0, 10))
    consumer.ack(1, 2, 3)
    consumer.positions[TP0] = 0
    await fetch._hand_out(consumer, {}, {TP0}, {})
    consumer.given.clear()
    await consumer.fetch(TP0, 0, 1)
    assert consumer.offsets() == [0, 1]
    consumer.ack(0)
    assert partitions.new_offset(consumer, TP0) == 1
    assert dead == []


async def test_a_rebalance_in_mid_fetch_leaves_the_rest():
    consumer = await ready(first=0)

    async def callback(message):
        consumer.given.append(message)
        if message.offset == 1:
            consumer.app.consumer_generation_id = 2

    consumer.callback = callback
    await consumer.fetch(TP0, 0, 1, 2, 3)
    assert consumer.offsets() == [0, 1]


async def test_a_delivery_that_the_flow_suspends_is_none():
    consumer = await ready(first=0)

    async def callback(message):
        await asyncio.Event().wait()

    consumer.callback = callback
    fetching = asyncio.create_task(consumer.fetch(TP0, 0, 1))
    await asyncio.sleep(0)
    consumer.suspend_flow.set()
    await fetching
    assert books_of(consumer)[TP0].offsets.due == 0


async def test_a_full_buffer_that_a_rebalance_clears_does_not_end_the_reading():
    """Clearing cancels the wait for room; as an error of the fetch it ended the consumer in silence."""
    consumer = await ready(first=0)
    buffer = ThrowableQueue(1, flow_control=FlowControlEvent(initially_suspended=False))
    consumer.callback = buffer.put
    fetching = asyncio.create_task(consumer.fetch(TP0, 0, 1))
    await asyncio.sleep(0)
    consumer.flow_active = False
    consumer.suspend_flow.set()
    buffer.clear()
    await fetching
    assert books_of(consumer)[TP0].offsets.due == 1


async def test_a_delivery_that_waits_is_waited_for():
    consumer = await ready(first=0)
    room = asyncio.Event()

    async def callback(message):
        await room.wait()
        await asyncio.sleep(0)
        consumer.given.append(message)

    consumer.callback = callback
    fetching = asyncio.create_task(consumer.fetch(TP0, 0, 1))
    await asyncio.sleep(0)
    assert consumer.offsets() == []
    room.set()
    await fetching
    assert consumer.offsets() == [0, 1]


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "after a wait"])
async def test_an_error_of_a_delivery_gets_out(waits):
    consumer = await ready(first=0)

    async def callback(message):
        if waits:
            await asyncio.sleep(0)
        raise LookupError("no such partition")

    consumer.callback = callback
    with pytest.raises(LookupError):
        await consumer.fetch(TP0, 0)


async def test_a_changelog_is_read_on_from_where_its_table_sought():
    consumer = await ready()
    consumer._read_offset[TABLE] = 2
    await consumer.fetch(TABLE, 1, 2, 4)
    assert consumer.offsets() == [2, 4]
    assert consumer._read_offset[TABLE] == 4


async def test_what_no_table_was_given_is_fetched_again():
    """A fetch under way while a recovery seeks: stock Faust drops it, and the recovery waits for ever."""
    consumer = await ready()
    await consumer.fetch(TABLE, 0, 1, 2, active={TP0})
    assert consumer.offsets() == []
    assert consumer.positions[TABLE] == 0
    await consumer.fetch(TABLE, 0, 1, 2)
    assert consumer.offsets() == [0, 1, 2]
    assert consumer.positions[TABLE] == 3


async def test_a_recovery_that_sought_meanwhile_has_the_last_word():
    consumer = await ready()
    consumer.positions[TABLE] = 1
    await fetch._rewind_tables(consumer, {TABLE: [SimpleNamespace(offset=offset) for offset in range(3)]}, {})
    assert consumer.positions[TABLE] == 1


async def test_the_rest_of_a_changelog_that_a_rebalance_cut_off_is_fetched_again():
    consumer = await ready()

    async def callback(message):
        consumer.given.append(message)
        consumer.flow_active = message.offset < 1

    consumer.callback = callback
    await consumer.fetch(TABLE, 0, 1, 2, 3)
    assert consumer.offsets() == [0, 1]
    assert consumer.positions[TABLE] == 2


async def test_what_is_suspended_on_its_way_to_a_table_is_fetched_again():
    consumer = await ready()

    async def callback(message):
        await asyncio.Event().wait()

    consumer.callback = callback
    fetching = asyncio.create_task(consumer.fetch(TABLE, 0, 1))
    await asyncio.sleep(0)
    consumer.suspend_flow.set()
    await fetching
    assert consumer.positions[TABLE] == 0
    assert consumer._read_offset[TABLE] is None


async def test_much_that_is_acked_is_committed_between_records():
    consumer = await ready()
    consumer.logs[TP0] = range(0, 500)
    consumer._commit_every, consumer._n_acked = 10, 10
    await consumer.fetch(TP0, *range(0, 250))
    assert (consumer.commits, len(consumer.given)) == (1, 250)


@pytest.mark.usefixtures("way")
async def test_the_drain_ends_with_the_app_and_gives_what_is_fetched(monkeypatch):
    consumer = await ready(first=0)
    fetches = [({TP0: [FetchedRecord(*TP0, 0, 0, None, None)]}, {TP0}), ({}, {TP0})]

    async def next_records(timeout):
        if not fetches:
            consumer._stopped.set()
            return None, None
        return fetches.pop(0)

    consumer._wait_next_records = next_records
    consumer._stopped = asyncio.Event()
    consumer.consumer_stopped_errors = ()
    await fetch.drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    assert consumer.offsets() == [0]


@pytest.mark.parametrize(("stopping", "gets_out"), [(True, False), (False, True)], ids=["stopping", "running"])
async def test_an_end_of_the_consumer_is_an_error_unless_the_app_stops(stopping, gets_out):
    consumer = await ready()
    consumer.app.should_stop = stopping

    async def next_records(timeout):
        raise ConnectionError("stopped")

    consumer._wait_next_records = next_records
    consumer._stopped = asyncio.Event()
    consumer.consumer_stopped_errors = (ConnectionError,)
    draining = fetch.drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    if gets_out:
        with pytest.raises(ConnectionError):
            await draining
    else:
        await draining


async def test_what_kafka_deleted_before_it_was_read_is_told_and_not_committed_before_that(dead):
    consumer = await ready(first=5)
    consumer.logs[TP0] = range(8, 20)
    await consumer.fetch(TP0, 8, 9)  # aiokafka has begun anew at the log's beginning
    [gone] = consumer.expired
    assert (gone.topic, gone.partition, gone.first, gone.end, gone.count) == (TP0.topic, 0, 5, 8, 3)
    assert gone.before_ms == 1008
    await consumer.fetch(TP0, 8, 9)
    assert consumer.offsets() == [8, 9]
    consumer.ack(8)
    assert partitions.new_offset(consumer, TP0) is None, "nobody has been told yet"
    gone.ack()
    assert partitions.new_offset(consumer, TP0) == 9
    assert dead == []


async def test_what_is_deleted_while_the_rest_is_sought_is_told_as_well(dead):
    consumer = await ready(first=5)
    consumer.logs[TP0] = range(8, 20)
    await consumer.fetch(TP0, 8)
    consumer.logs[TP0] = range(12, 20)
    await consumer.fetch(TP0, 12)
    await consumer.fetch(TP0, 12)
    assert [(gone.first, gone.end) for gone in consumer.expired] == [(5, 8), (8, 12)]
    assert consumer.offsets() == [12]
    for gone in consumer.expired:
        gone.ack()
    assert partitions.new_offset(consumer, TP0) == 12
    assert dead == []


async def test_a_log_that_was_emptied_is_told_though_nothing_follows(dead):
    consumer = await ready(first=5)
    consumer.logs[TP0] = range(20, 21)
    consumer.positions[TP0] = 20
    await fetch._hand_out(consumer, {}, {TP0}, {})
    assert [(gone.first, gone.end) for gone in consumer.expired] == [(5, 20)]
    consumer.expired[0].ack()
    assert partitions.new_offset(consumer, TP0) == 20
    assert dead == []


async def test_a_hole_is_not_believed_while_nobody_knows_where_the_log_begins(dead):
    consumer = await ready(first=5)
    consumer.logs[TP0] = range(8, 20)
    consumer.beginning_failures = 2
    for _ in range(2):
        await consumer.fetch(TP0, 8)
        assert (consumer.offsets(), consumer.expired) == ([], [])
    await consumer.fetch(TP0, 8)
    assert [(gone.first, gone.end) for gone in consumer.expired] == [(5, 8)]


async def test_a_commit_of_the_first_offset_is_one():
    """Offset 0 may be in flight while others are settled: what is deleted then has expired."""
    consumer = await ready(first=0)
    consumer.logs[TP0] = range(8, 20)
    await consumer.fetch(TP0, 8)
    assert [(gone.first, gone.end) for gone in consumer.expired] == [(0, 8)]

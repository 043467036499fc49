"""Tests of the ledger: counted before acked, and nothing acked twice or too early."""

import asyncio

import orjson
import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from streams import topology
from streams.delivery.buffer import Batch
from streams.delivery.ledger import STALL_S
from streams.health import Health


async def test_events_are_acked_only_after_their_counts_are_written(producer, ledger, counts, event):
    batch = [event(), event()]
    counts.add("filtered", 2)
    ledger.settled(Batch(0, batch), batch)
    producer.confirmed.clear()
    producer.refusals = {"genesys.metrics": [KafkaTimeoutError()]}
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    assert not any(one.acked for one in batch)
    producer.confirmed.set()
    await flushing
    assert all(one.acked for one in batch)
    assert orjson.loads(producer.taken[0].value)["counts"] == {"filtered": 2}
    assert producer.taken[0].key == topology.METRICS_KEY


async def test_who_listens_hears_what_was_written_and_nothing_else(new_ledger, counts):
    heard = []
    ledger = new_ledger(on_written=heard.append)
    await ledger.flush()
    counts.add("ingested")
    await ledger.flush()
    assert [delta["counts"] for delta in heard] == [{"ingested": 1}]


async def test_what_was_acked_is_told_so_that_it_is_committed_at_once(new_ledger, event):
    one, told = event(), []
    ledger = new_ledger(after_acks=lambda: told.append(one.acked))
    await ledger.flush()
    assert told == [], "there is nothing to commit"
    ledger.settled(Batch(), [one])
    await ledger.flush()
    assert told == [True]


async def test_what_is_settled_while_a_flush_runs_waits_for_the_next(producer, ledger, counts, event):
    first, second = event(), event()
    counts.add("filtered")
    ledger.settled(Batch(), [first])
    producer.confirmed.clear()
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    ledger.settled(Batch(), [second])
    producer.confirmed.set()
    await flushing
    assert (first.acked, second.acked) == (True, False)
    await ledger.flush()
    assert second.acked


async def test_no_batch_is_begun_while_a_flush_does_not_end(new_ledger, counts, producer):
    ledger = new_ledger(hold_s=0.0)
    await ledger.keep_pace()
    producer.confirmed.clear()
    counts.add("published")
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    await asyncio.sleep(0)
    held = asyncio.create_task(ledger.keep_pace())
    await asyncio.sleep(0)
    assert not held.done()
    producer.confirmed.set()
    await flushing
    await held


async def test_what_was_settled_is_noted_before_it_is_acked(new_ledger, event):
    one, noted = event(), []
    ledger = new_ledger(before_acks=lambda: noted.append(one.acked))
    ledger.settled(Batch(), [one])
    await ledger.flush()
    assert noted == [False]
    assert one.acked


def test_a_worker_is_stalled_when_a_batch_takes_too_long_and_waits_for_nothing(new_ledger, event):
    now = 0.0
    known = Health(lambda: now)
    ledger = new_ledger(health=known, clock=lambda: now)
    known.trouble("genesys", "it does not wait for that")
    batch = Batch(0, [event()])
    ledger.opened(batch, ("kafka", "sqs"))
    now = STALL_S - 1
    assert ledger.stalled() is None
    now += 2
    assert ledger.stalled() == f"a batch has been worked on for {STALL_S + 1:.0f} s"
    known.trouble("sqs", "no answer")
    assert ledger.stalled() is None
    known.healthy("sqs")
    now += STALL_S - 1
    assert ledger.stalled() is None, "it has its time from the end of the trouble"
    now += 1
    assert ledger.stalled() is not None
    ledger.closed(batch)
    assert ledger.stalled() is None


async def test_close_writes_and_acks_what_is_left(ledger, producer, counts, event):
    one = event()
    counts.add("filtered")
    ledger.settled(Batch(), [one])
    await ledger.close()
    assert one.acked
    assert [record.topic for record in producer.taken] == ["genesys.metrics"]


async def test_close_ends_in_time_when_kafka_takes_nothing_and_acks_nothing(new_ledger, producer, counts, event):
    ledger, one = new_ledger(grace_s=0.0), event()
    producer.confirmed.clear()
    counts.add("filtered")
    ledger.settled(Batch(), [one])
    with pytest.raises(TimeoutError):
        await ledger.close()
    assert not one.acked


async def test_an_event_that_has_ended_is_held_until_it_is_acked(producer, ledger, counts, part_of, event):
    made = part_of([event(offset=5), event(offset=6)])
    batch = Batch()
    batch.parts.append(made)
    ledger.settled(batch, [made.records[0]])
    assert ledger.holds(made.tp, 5)
    assert not ledger.holds(made.tp, 6), "it has not ended"
    assert not ledger.holds(TP("genesys.raw", 1), 5)
    counts.add("filtered")
    producer.confirmed.clear()
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    assert (ledger.holds(made.tp, 5), ledger.is_behind) == (True, True), "while its count is written"
    producer.confirmed.set()
    await flushing
    assert (ledger.holds(made.tp, 5), ledger.is_behind) == (False, False)

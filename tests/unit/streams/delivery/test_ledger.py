"""Tests of the ledger: counted before acked, and nothing acked twice or too early."""

import asyncio

import orjson
from aiokafka.errors import KafkaTimeoutError

from streams import topology
from streams.delivery import ledger as module
from streams.delivery.stage import _settle
from streams.health import Health


async def test_events_are_acked_only_after_their_counts_are_written(producer, ledger, event):
    async def count(batch):
        ledger.counts.add("filtered", len(batch))

    batch = [event(), event()]
    await _settle(count, batch)
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


async def test_listeners_hear_what_was_written_and_nothing_else(producer, ledger):
    heard = []
    ledger.listeners.append(heard.append)
    await ledger.flush()
    ledger.counts.add("ingested")
    await ledger.flush()
    assert [delta["counts"] for delta in heard] == [{"ingested": 1}]


async def test_what_is_settled_while_a_flush_runs_waits_for_the_next(producer, ledger, event):
    async def count(batch):
        ledger.counts.add("filtered")

    first, second = event(), event()
    await _settle(count, [first])
    producer.confirmed.clear()
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    await _settle(count, [second])
    producer.confirmed.set()
    await flushing
    assert (first.acked, second.acked) == (True, False)
    await ledger.flush()
    assert second.acked


async def test_no_batch_is_begun_while_a_flush_does_not_end(ledger, producer, monkeypatch):
    monkeypatch.setattr(module, "HOLD_S", 0.0)
    await ledger.keep_pace()
    producer.confirmed.clear()
    ledger.counts.add("published")
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    await asyncio.sleep(0)
    held = asyncio.create_task(ledger.keep_pace())
    await asyncio.sleep(0)
    assert not held.done()
    producer.confirmed.set()
    await flushing
    await held


async def test_what_was_settled_is_noted_before_it_is_acked(ledger, producer, event):
    async def handle(batch):
        pass

    one, noted = event(), []
    ledger.before_acks.append(lambda: noted.append(one.acked))
    await _settle(handle, [one])
    await ledger.flush()
    assert noted == [False]
    assert one.acked


def test_a_worker_is_stalled_when_a_batch_takes_too_long_and_waits_for_nothing(ledger, monkeypatch, event):
    now = 0.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    known = Health(lambda: now)
    monkeypatch.setattr(module, "health", known)
    known.trouble("genesys", "it does not wait for that")
    batch = [event()]
    ledger.opened(batch, ("kafka", "sqs"))
    now = module.STALL_S - 1
    assert ledger.stalled() is None
    now += 2
    assert ledger.stalled() == f"a batch has been worked on for {module.STALL_S + 1:.0f} s"
    known.trouble("sqs", "no answer")
    assert ledger.stalled() is None
    known.well("sqs")
    now += module.STALL_S - 1
    assert ledger.stalled() is None, "it has its time from the end of the trouble"
    now += 1
    assert ledger.stalled() is not None
    ledger.closed(batch)
    assert ledger.stalled() is None


async def test_who_still_counts_is_ended_before_the_last_flush(ledger, producer):
    async def end():
        ledger.counts.add("ingested")

    ledger.before_close.append(end)
    await ledger.close()
    assert orjson.loads(producer.taken[-1].value)["counts"] == {"ingested": 1}


async def test_close_writes_and_acks_what_is_left(ledger, producer, event):
    async def count(batch):
        ledger.counts.add("filtered")

    one = event()
    await _settle(count, [one])
    await ledger.close()
    assert one.acked
    assert [record.topic for record in producer.taken] == ["genesys.metrics"]

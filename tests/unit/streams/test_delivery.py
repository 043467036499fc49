"""Tests of the delivery's laws: confirmed and counted before acked, and a bug ends the process unacked."""

import asyncio

import orjson
import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError, NotLeaderForPartitionError

from streams import delivery, topics
from streams.app import app
from streams.delivery import Record, _next_batch, _run, _settle, record, send
from streams.health import health


class FakeStream:
    """Gives events as Faust does; never ends by itself."""

    def __init__(self, events):
        self._events = events
        self.acks = True

    def noack(self):
        self.acks = False
        return self

    async def events(self):
        for event in self._events:
            yield event
        await asyncio.Event().wait()


def refused_at_once():
    error = MessageSizeTooLargeError("too large")
    error.at_once = True
    return error


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


async def stop(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_record_holds_bytes_and_leaves_out_what_is_missing():
    made = record(topics.raw, "\N{GRINNING FACE}\ud800", b"v", {"a": "text", "b": b"\xff", "c": None})
    assert made == Record("genesys.raw", "\N{GRINNING FACE}?".encode(), b"v", {"a": b"text", "b": b"\xff"})


async def test_send_returns_only_when_the_broker_has_every_record(producer):
    producer.confirmed.clear()
    sending = asyncio.create_task(send([Record("a", None, b"1"), Record("b", None, b"2")]))
    await until(lambda: len(producer.attempts) == 2)
    await asyncio.sleep(0)
    assert not sending.done()
    producer.confirmed.set()
    await sending
    assert [one.value for one in producer.taken] == [b"1", b"2"]


@pytest.mark.parametrize("error", [KafkaTimeoutError, NotLeaderForPartitionError, refused_at_once])
async def test_only_what_was_refused_is_sent_again_until_it_is_taken(producer, error):
    producer.refusals = {"b": [error(), error()]}
    await send([Record("a", None, b"1"), Record("b", None, b"2"), Record("c", None, b"3")])
    assert producer.attempts == ["a", "b", "c", "b", "b"]
    assert sorted(one.value for one in producer.taken) == [b"1", b"2", b"3"]


async def test_kafka_is_in_trouble_while_it_refuses_and_well_again_after(producer, monkeypatch):
    told = []
    monkeypatch.setattr(health, "trouble", lambda part, reason: told.append((part, reason)))
    monkeypatch.setattr(health, "well", lambda part: told.append((part, None)))
    producer.refusals = {"a": [KafkaTimeoutError(), MessageSizeTooLargeError()]}
    await send([Record("a", None, b"123")])
    assert [part for part, _ in told] == ["kafka"] * 3
    assert told[0][1] == "a does not take events: KafkaTimeoutError"
    assert "lower KAFKA_MAX_MESSAGE_BYTES" in told[1][1]
    assert told[2][1] is None


async def test_sending_nothing_is_done_at_once(producer):
    await send([])
    assert producer.attempts == []


async def test_a_batch_is_not_acked_before_its_sends_are_confirmed(producer, ledger, event):
    async def forward(batch):
        await send(Record("out", None, one.value) for one in batch)

    producer.confirmed.clear()
    batch = [event(b"1"), event(b"2")]
    settling = asyncio.create_task(_settle(forward, batch))
    await until(lambda: len(producer.attempts) == 2)
    await ledger.flush()
    assert not any(one.acked for one in batch)
    producer.confirmed.set()
    await settling
    assert not any(one.acked for one in batch)
    await ledger.flush()
    assert all(one.acked for one in batch)


async def test_a_batch_is_not_acked_while_kafka_refuses(producer, ledger, event):
    async def forward(batch):
        await send([Record("out", None, b"1")])
        assert not batch[0].acked

    producer.refusals = {"out": [KafkaTimeoutError()] * 20}
    batch = [event()]
    await _settle(forward, batch)
    await ledger.flush()
    assert (batch[0].acked, len(producer.attempts)) == (True, 21)


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
    assert producer.taken[0].key == delivery.METRICS_KEY


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


async def test_every_event_is_handled_once_and_in_order(ledger, event):
    seen = []

    async def handle(batch):
        seen.extend(batch)
        assert len(batch) <= 7

    events = [event() for _ in range(50)]
    stream = FakeStream(events)
    running = asyncio.create_task(_run(stream, handle, 7, 0.0, 1))
    await until(lambda: len(seen) == 50)
    await stop(running)
    assert seen == events
    assert stream.acks is False


@pytest.mark.parametrize("open_batches", [1, 3])
async def test_no_more_batches_are_open_than_allowed(ledger, event, open_batches):
    at_once, most, done = 0, 0, []

    async def handle(batch):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        for _ in range(20):
            await asyncio.sleep(0)
        at_once -= 1
        done.extend(batch)

    stream = FakeStream([event() for _ in range(40)])
    batches = asyncio.create_task(_run(stream, handle, 2, 0.0, open_batches))
    await until(lambda: len(done) == 40)
    await stop(batches)
    assert most == open_batches


async def test_a_batch_in_work_when_the_stream_ends_is_not_settled(ledger, producer, event):
    started = asyncio.Event()

    async def handle(batch):
        started.set()
        await asyncio.Event().wait()

    one = event()
    running = asyncio.create_task(_run(FakeStream([one]), handle, 5, 0.0, 1))
    await started.wait()
    await stop(running)
    await asyncio.sleep(0)
    await ledger.flush()
    assert not one.acked


async def test_a_batch_ends_at_its_size_or_its_linger(event):
    queue = asyncio.Queue()
    events = [event() for _ in range(5)]
    for one in events:
        queue.put_nowait(one)
    assert await _next_batch(queue, 3, 60.0) == events[:3]
    assert await _next_batch(queue, 3, 0.0) == events[3:]
    adding = asyncio.get_running_loop().call_soon(queue.put_nowait, events[0])
    assert await _next_batch(queue, 3, 0.001) == events[:1]
    adding.cancel()


async def test_an_event_from_before_a_rebalance_is_left_to_who_gets_it_next(ledger, event, monkeypatch):
    monkeypatch.setattr(app, "consumer_generation_id", 4)
    old, now = event(generation_id=3), event(generation_id=4)
    queue = asyncio.Queue()
    for one in (old, now, old):
        ledger.took(one)
        queue.put_nowait(one)
    assert await _next_batch(queue, 3, 0.0) == [now]
    assert not old.acked
    assert list(ledger._taken.values()) == [now]


async def test_what_was_settled_is_noted_before_it_is_acked(ledger, producer, event):
    async def handle(batch):
        pass

    one, noted = event(), []
    ledger.before_acks.append(lambda: noted.append(one.acked))
    await _settle(handle, [one])
    await ledger.flush()
    assert noted == [False]
    assert one.acked


async def test_tables_are_changed_one_event_after_the_other_and_then_acked(event):
    events, order = [event() for _ in range(3)], []
    running = asyncio.create_task(
        delivery.each(FakeStream(events), "t", lambda one: order.append([other.acked for other in events]))
    )
    await until(lambda: events[-1].acked)
    await stop(running)
    assert order == [[False] * 3, [True, False, False], [True, True, False]]


def test_a_worker_is_stalled_when_a_batch_takes_too_long_for_no_known_reason(ledger, monkeypatch, event):
    now = 0.0
    monkeypatch.setattr(delivery.time, "monotonic", lambda: now)
    monkeypatch.setattr(health, "known", lambda: False)
    batch = [event()]
    ledger.opened(batch)
    now = delivery.STALL_S - 1
    assert ledger.stalled() is None
    now += 2
    assert ledger.stalled() == f"a batch has been worked on for {delivery.STALL_S + 1:.0f} s"
    monkeypatch.setattr(health, "known", lambda: True)
    assert ledger.stalled() is None
    monkeypatch.setattr(health, "known", lambda: False)
    ledger.settled(batch)
    assert ledger.stalled() is None


async def test_close_writes_and_acks_what_is_left(ledger, producer, event):
    async def count(batch):
        ledger.counts.add("filtered")

    one = event()
    await _settle(count, [one])
    await ledger.close()
    assert one.acked
    assert [record.topic for record in producer.taken] == ["genesys.metrics"]

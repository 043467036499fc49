"""Tests of the delivery's laws: batches in order, acked only when settled, and what is old is left."""

import asyncio

import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.app import app
from streams.delivery import buffer, stage
from streams.delivery.buffer import BoundedBuffer
from streams.delivery.send import Record, send
from streams.delivery.stage import _next_batch, _run, _settle


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


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


async def stop(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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
    queue = BoundedBuffer(10)
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
    queue = BoundedBuffer(10)
    for one in (old, now, old):
        ledger.took(one)
        queue.put_nowait(one)
    assert await _next_batch(queue, 3, 0.0) == [now]
    assert not old.acked
    assert list(ledger._taken.values()) == [now]


async def test_no_batch_begins_while_the_counts_are_not_taken(ledger, event, monkeypatch):
    monkeypatch.setattr(app, "consumer_generation_id", 4)
    ledger._flowing.clear()
    queue = BoundedBuffer(10)
    old, now = event(generation_id=4), event(generation_id=5)
    for one in (old, now):
        ledger.took(one)
        queue.put_nowait(one)
    batch = asyncio.create_task(_next_batch(queue, 3, 0.0))
    await asyncio.sleep(0)
    assert not batch.done()
    monkeypatch.setattr(app, "consumer_generation_id", 5)
    ledger._flowing.set()
    assert await batch == [now]
    assert list(ledger._taken.values()) == [now]


async def test_tables_are_changed_one_event_after_the_other_and_then_acked(event):
    events, order = [event() for _ in range(3)], []
    running = asyncio.create_task(
        stage.each(FakeStream(events), "t", lambda one: order.append([other.acked for other in events]))
    )
    await until(lambda: events[-1].acked)
    await stop(running)
    assert order == [[False] * 3, [True, False, False], [True, True, False]]


async def test_an_event_that_went_to_somebody_else_meanwhile_is_not_acked(ledger, producer, event, monkeypatch):
    monkeypatch.setattr(app, "consumer_generation_id", 4)
    old, now = event(generation_id=4), event(generation_id=5)

    async def rebalance(batch):
        app.consumer_generation_id = 5

    for one in (old, now):
        ledger.took(one)
    await _settle(rebalance, [old, now])
    await ledger.flush()
    assert (old.acked, now.acked) == (False, True)
    assert ledger._taken == {}


async def test_a_stage_holds_no_more_bytes_than_it_has_room_for(event):
    queue = BoundedBuffer(10, max_bytes=10)
    first, second, huge = event(b"x" * 6), event(b"x" * 4), event(b"x" * 99)
    for one in (first, second):
        await queue.put(one)
    adding = asyncio.create_task(queue.put(huge))
    await asyncio.sleep(0)
    queue.release([first])
    await asyncio.sleep(0)
    assert not adding.done()
    queue.release([second])
    await adding
    assert queue.qsize() == 3


async def test_events_flow_though_all_have_room_for_one_only(ledger, event, monkeypatch):
    monkeypatch.setattr(buffer.BoundedBuffer.__init__, "__defaults__", (1,))
    seen = []

    async def handle(batch):
        seen.extend(batch)

    events = [event() for _ in range(20)]
    running = asyncio.create_task(_run(FakeStream(events), handle, 5, 0.0, 2))
    await until(lambda: len(seen) == 20)
    await stop(running)
    assert seen == events


async def test_a_bug_in_the_cutting_of_batches_ends_the_process(ledger, event, monkeypatch):
    deaths = []
    monkeypatch.setattr(stage, "die", lambda where, error: deaths.append((where, error)))

    async def broken(*arguments):
        raise ValueError("a bug")

    monkeypatch.setattr(stage, "_next_batch", broken)
    running = asyncio.create_task(_run(FakeStream([event()]), broken, 5, 0.0, 1))
    await until(lambda: deaths)
    await stop(running)
    assert deaths[0][0] == "the cutting of batches"

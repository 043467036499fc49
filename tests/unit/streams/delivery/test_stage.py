"""Tests of the delivery's laws: batches in order, acked only when settled, and what is old is left."""

import asyncio

import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.delivery.buffer import BoundedBuffer
from streams.delivery.send import Record
from streams.delivery.stage import Stage, StageRunner, each


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


class Generation:
    """The group's generation that the worker knows of."""

    now = 0

    def is_current(self, event):
        return event.message.generation_id == self.now


@pytest.fixture
def generation():
    return Generation()


@pytest.fixture
def runner(ledger, generation):
    """Makes runners of a handler."""

    def made(handle, max_events=3, *, die=None, **stage):
        stage = Stage("a stage", max_events, **{"linger_s": 0.0, **stage})
        return StageRunner(stage, handle, ledger, generation.is_current, **({"die": die} if die else {}))

    return made


async def nothing(batch):
    """Settles what it is given."""


async def stop(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_batch_is_not_acked_before_its_sends_are_confirmed(runner, sender, producer, ledger, event):
    async def forward(batch):
        await sender.send(Record("out", None, one.value) for one in batch)

    producer.confirmed.clear()
    batch = [event(b"1"), event(b"2")]
    settling = asyncio.create_task(runner(forward).settle(batch))
    await until(lambda: len(producer.attempts) == 2)
    await ledger.flush()
    assert not any(one.acked for one in batch)
    producer.confirmed.set()
    await settling
    assert not any(one.acked for one in batch)
    await ledger.flush()
    assert all(one.acked for one in batch)


async def test_a_batch_is_not_acked_while_kafka_refuses(runner, sender, producer, ledger, event):
    async def forward(batch):
        await sender.send([Record("out", None, b"1")])
        assert not batch[0].acked

    producer.refusals = {"out": [KafkaTimeoutError()] * 20}
    batch = [event()]
    await runner(forward).settle(batch)
    await ledger.flush()
    assert (batch[0].acked, len(producer.attempts)) == (True, 21)


async def test_every_event_is_handled_once_and_in_order(runner, event):
    seen = []

    async def handle(batch):
        seen.extend(batch)
        assert len(batch) <= 7

    events = [event() for _ in range(50)]
    stream = FakeStream(events)
    running = asyncio.create_task(runner(handle, 7).run(stream))
    await until(lambda: len(seen) == 50)
    await stop(running)
    assert seen == events
    assert stream.acks is False


@pytest.mark.parametrize("open_batches", [1, 3])
async def test_no_more_batches_are_open_than_allowed(runner, event, open_batches):
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
    batches = asyncio.create_task(runner(handle, 2, open_batches=open_batches).run(stream))
    await until(lambda: len(done) == 40)
    await stop(batches)
    assert most == open_batches


@pytest.mark.parametrize(("alone", "settled"), [(True, [1, 2]), (False, [])], ids=["alone", "together"])
async def test_an_event_that_waits_holds_up_its_batch_unless_each_is_alone(runner, ledger, event, alone, settled):
    begun = []

    async def handle(batch, ended=lambda some: None):
        begun.extend(batch)
        ended([one for one in batch if one is not events[0]])
        await asyncio.Event().wait()

    events = [event() for _ in range(3)]
    running = asyncio.create_task(runner(handle, alone=alone).run(FakeStream(events)))
    await until(lambda: len(begun) == 3)
    for _ in range(5):
        await asyncio.sleep(0)
    await ledger.flush()
    assert begun == events, "in order, in any case"
    assert [number for number, one in enumerate(events) if one.acked] == settled
    await stop(running)


async def test_a_batch_in_work_when_the_stream_ends_is_not_settled(runner, ledger, event):
    started = asyncio.Event()

    async def handle(batch):
        started.set()
        await asyncio.Event().wait()

    one = event()
    running = asyncio.create_task(runner(handle, 5).run(FakeStream([one])))
    await started.wait()
    await stop(running)
    await asyncio.sleep(0)
    await ledger.flush()
    assert not one.acked


@pytest.mark.parametrize(("linger_s", "number"), [(60.0, 3), (0.0, 5)], ids=["its size", "its linger"])
async def test_a_batch_ends_at_its_size_or_its_linger(runner, event, linger_s, number):
    events, batches = [event() for _ in range(5)], []

    async def note(batch):
        batches.append(batch)

    running = asyncio.create_task(runner(note, linger_s=linger_s).run(FakeStream(events)))
    await until(lambda: sum(map(len, batches)) == number)
    await asyncio.sleep(0)
    await stop(running)
    assert [one for batch in batches for one in batch] == events[:number], "what is left waits for its time"
    assert max(map(len, batches)) <= 3


async def test_what_waits_already_is_one_batch_without_a_linger(runner, event):
    batches = []

    async def handle(batch):
        batches.append(len(batch))

    task = asyncio.create_task(runner(handle, max_events=50, linger_s=0.0).run(FakeStream([event()] * 40)))
    await until(lambda: sum(batches) == 40)
    await stop(task)
    assert batches == [40]


async def test_an_event_from_before_a_rebalance_is_left_to_who_gets_it_next(runner, generation, ledger, event):
    generation.now = 4
    old, now = event(generation_id=3), event(generation_id=4)
    batches = []

    async def note(batch):
        batches.append(batch)
        assert list(ledger._taken.values()) == [now]

    running = asyncio.create_task(runner(note).run(FakeStream([old, now, old])))
    await until(lambda: batches)
    await stop(running)
    assert batches == [[now]]
    assert not old.acked


async def test_no_batch_begins_while_the_counts_are_not_taken(runner, generation, new_ledger, producer, counts, event):
    generation.now = 4
    old, now = event(generation_id=4), event(generation_id=5)
    ledger, batches = new_ledger(hold_s=0.0), []

    async def note(batch):
        batches.append(batch)

    producer.confirmed.clear()
    counts.add("published")
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    await asyncio.sleep(0)
    stage = StageRunner(Stage("a stage", 3, 0.0), note, ledger, generation.is_current)
    running = asyncio.create_task(stage.run(FakeStream([old, now])))
    for _ in range(10):
        await asyncio.sleep(0)
    assert batches == []
    generation.now = 5
    producer.confirmed.set()
    await flushing
    await until(lambda: batches)
    await stop(running)
    assert batches == [[now]]
    assert list(ledger._taken.values()) == [now]


async def test_tables_are_changed_one_event_after_the_other_and_then_acked(event):
    events, order = [event() for _ in range(3)], []
    running = asyncio.create_task(
        each(FakeStream(events), "t", lambda one: order.append([other.acked for other in events]))
    )
    await until(lambda: events[-1].acked)
    await stop(running)
    assert order == [[False] * 3, [True, False, False], [True, True, False]]


async def test_an_event_that_went_to_somebody_else_meanwhile_is_not_acked(runner, generation, ledger, event):
    generation.now = 4
    old, now = event(generation_id=4), event(generation_id=5)

    async def rebalance(batch):
        generation.now = 5

    for one in (old, now):
        ledger.took(one)
    await runner(rebalance).settle([old, now])
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


async def test_events_flow_though_all_have_room_for_one_only(runner, event):
    seen = []

    async def handle(batch):
        seen.extend(batch)

    events = [event() for _ in range(20)]
    running = asyncio.create_task(runner(handle, 5, open_batches=2, max_bytes=1).run(FakeStream(events)))
    await until(lambda: len(seen) == 20)
    await stop(running)
    assert seen == events


async def test_a_bug_in_the_cutting_of_batches_ends_the_process(runner, generation, event):
    deaths = []

    def broken(event):
        raise ValueError("a bug")

    generation.is_current = broken
    made = runner(nothing, die=lambda where, error: deaths.append((where, error)))
    running = asyncio.create_task(made.run(FakeStream([event()])))
    await until(lambda: deaths)
    await stop(running)
    assert deaths[0][0] == "the cutting of batches"


async def test_a_paused_stage_begins_nothing_acks_nothing_and_loses_nothing(ledger, generation, event):
    """What it has taken stays unacked; when it goes on, each event ends once and in order."""
    open_, seen = asyncio.Event(), []

    async def handle(batch):
        seen.extend(one.message.offset for one in batch)

    events = [event(offset=number) for number in range(7)]
    stage = StageRunner(Stage("sink", 3, 0.0), handle, ledger, generation.is_current, may_begin=open_.wait)
    running = asyncio.create_task(stage.run(FakeStream(events)))
    await asyncio.sleep(0.02)
    await ledger.flush()
    assert (seen, [one.acked for one in events]) == ([], [False] * 7)
    assert ledger.stalled() is None
    open_.set()
    await until(lambda: len(seen) == 7)
    await ledger.flush()
    assert (seen, all(one.acked for one in events)) == (list(range(7)), True)
    running.cancel()


async def test_what_a_paused_stage_holds_goes_to_its_heir(ledger, generation, event):
    open_, seen = asyncio.Event(), []

    async def handle(batch):
        seen.extend(batch)

    old = [event(offset=number) for number in range(3)]
    stage = StageRunner(Stage("sink", 3, 0.0), handle, ledger, generation.is_current, may_begin=open_.wait)
    running = asyncio.create_task(stage.run(FakeStream(old)))
    await asyncio.sleep(0.02)
    generation.now = 1
    open_.set()
    await until(lambda: not ledger._taken)
    await ledger.flush()
    assert (seen, [one.acked for one in old]) == ([], [False] * 3)
    running.cancel()

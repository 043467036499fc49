"""Tests of the delivery's laws: batches in order, acked only when settled, and what is old is left."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from streams.delivery.buffer import Batch
from streams.delivery.record import Record
from streams.delivery.stage import LeftError, Stage, StageRunner, StrayError, each


class FakeStream:
    """Gives events as Faust does; never ends by itself."""

    def __init__(self, events=()):
        self._events = events

    def noack(self):
        return self

    async def events(self):
        for event in self._events:
            yield event
        await asyncio.Event().wait()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
            await asyncio.sleep(0)


class Generation:
    """The group's generation that the worker knows of."""

    now = 0


@pytest.fixture
def generation():
    return Generation()


@pytest.fixture
def runner(ledger, generation):
    """Makes runners of a handler."""

    def made(handle, max_events=3, *, die=None, **stage):
        stage = Stage("a stage", max_events, **{"linger_s": 0.0, **stage})
        return StageRunner(stage, handle, ledger, lambda: generation.now, **({"die": die} if die else {}))

    return made


@pytest.fixture
def running():
    """Runs runners; ends them with the test."""
    tasks = []

    def run(made, stream=None):
        tasks.append(asyncio.create_task(made.run(stream or FakeStream())))
        return made

    yield run
    for task in tasks:
        task.cancel()


@pytest.fixture
def events(event):
    return lambda number, first=0, **more: [event(offset=first + one, **more) for one in range(number)]


async def some_turns():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_batch_is_not_acked_before_its_sends_are_confirmed(runner, sender, producer, ledger, events):
    async def forward(batch):
        await sender.send(Record("out", None, one.value) for one in batch)

    producer.confirmed.clear()
    batch = Batch(0, events(2))
    settling = asyncio.create_task(runner(forward).settle(batch))
    await until(lambda: len(producer.attempts) == 2)
    await ledger.flush()
    assert not any(one.acked for one in batch)
    producer.confirmed.set()
    await settling
    assert not any(one.acked for one in batch)
    await ledger.flush()
    assert all(one.acked for one in batch)


async def test_a_batch_is_not_acked_while_kafka_refuses(runner, sender, producer, ledger, events):
    async def forward(batch):
        await sender.send([Record("out", None, b"1")])
        assert not batch[0].acked

    producer.refusals = {"out": [KafkaTimeoutError()] * 20}
    batch = Batch(0, events(1))
    await runner(forward).settle(batch)
    await ledger.flush()
    assert (batch[0].acked, len(producer.attempts)) == (True, 21)


async def test_every_event_is_handled_once_and_in_order(runner, running, events, part_of):
    seen = []

    async def handle(batch):
        seen.extend(batch)
        assert len(batch) <= 7

    given = events(50)
    made = running(runner(handle, 7))
    for start in range(0, 50, 10):
        made.put(part_of(given[start : start + 10]))
        await asyncio.sleep(0)
    await until(lambda: len(seen) == 50)
    assert seen == given


@pytest.mark.parametrize("open_batches", [1, 3])
async def test_no_more_batches_are_open_than_allowed(runner, running, events, part_of, open_batches):
    at_once, most, done = 0, 0, []

    async def handle(batch):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await some_turns()
        at_once -= 1
        done.extend(batch)

    running(runner(handle, 2, open_batches=open_batches)).put(part_of(events(40)))
    await until(lambda: len(done) == 40)
    assert most == open_batches


@pytest.mark.parametrize(("alone", "settled"), [(True, [1, 2]), (False, [])], ids=["alone", "together"])
async def test_an_event_that_waits_holds_up_its_batch_unless_each_is_alone(
    runner, running, ledger, events, part_of, alone, settled
):
    begun = []

    async def handle(batch, ended=lambda some: None):
        begun.extend(batch)
        ended([one for one in batch if one is not given[0]])
        await asyncio.Event().wait()

    given = events(3)
    running(runner(handle, alone=alone)).put(part_of(given))
    await until(lambda: len(begun) == 3)
    await ledger.flush()
    assert begun == given, "in order, in any case"
    assert [number for number, one in enumerate(given) if one.acked] == settled


async def test_where_each_is_alone_one_that_waits_holds_up_no_batch(runner, running, events, part_of):
    """What bounds the work is how many events are open, not in how many batches they are."""
    batches = []

    async def handle(batch, ended):
        batches.append(batch)
        ended(batch[1:])
        await asyncio.Event().wait()

    running(runner(handle, 3, alone=True, open_events=4)).put(part_of(events(30)))
    await some_turns()
    assert list(map(len, batches)) == [3, 3, 3, 3], "then four wait, one of each"


async def test_a_batch_in_work_when_the_stage_ends_is_not_settled(runner, ledger, events, part_of):
    started = asyncio.Event()

    async def handle(batch):
        started.set()
        await asyncio.Event().wait()

    given, made = events(1), runner(handle, 5)
    task = asyncio.create_task(made.run(FakeStream()))
    made.put(part_of(given))
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await some_turns()
    await ledger.flush()
    assert not given[0].acked


async def test_a_batch_begins_at_once_when_nothing_else_is_worked_on(runner, running, events, part_of):
    batches = []

    async def note(batch):
        batches.append(len(batch))

    running(runner(note, linger_s=3600.0)).put(part_of(events(2)))
    await until(lambda: batches == [2])


@pytest.mark.parametrize("ends", ["it is full", "its time is over", "the other batch has ended"])
async def test_beside_another_one_a_batch_waits_until_it_is_full_or_waiting_is_of_no_use(
    runner, running, events, part_of, ends
):
    batches, end = [], asyncio.Event()

    async def note(batch):
        batches.append(len(batch))
        await end.wait()

    linger_s = 0.001 if ends == "its time is over" else 3600.0
    made = running(runner(note, open_batches=2, linger_s=linger_s))
    made.put(part_of(events(1)))
    await until(lambda: batches == [1])
    made.put(part_of(events(2, 1)))
    if ends != "its time is over":
        await some_turns()
        assert batches == [1]
    if ends == "it is full":
        made.put(part_of(events(1, 3)))
    elif ends == "the other batch has ended":
        end.set()
    await until(lambda: batches == [1, 3 if ends == "it is full" else 2])


async def test_what_waits_already_is_one_batch(runner, running, events, part_of):
    batches = []

    async def handle(batch):
        batches.append(len(batch))

    made = runner(handle, max_events=50)
    for first in range(0, 40, 8):
        made.put(part_of(events(8, first)))
    running(made)
    await until(lambda: batches)
    assert batches == [40]


async def test_an_event_from_before_a_rebalance_is_left_to_who_gets_it_next(
    runner, running, generation, events, part_of
):
    generation.now = 4
    batches = []

    async def note(batch):
        batches.append(batch)

    made = runner(note)
    given = events(1)
    for number, one in ((3, events(1)), (4, given), (3, events(1))):
        made.put(part_of(one, number))
    running(made)
    await until(lambda: batches)
    await some_turns()
    assert batches == [given]


async def test_no_batch_begins_while_the_counts_are_not_taken(
    running, generation, new_ledger, producer, counts, events, part_of
):
    generation.now = 4
    ledger, batches = new_ledger(hold_s=0.0), []

    async def note(batch):
        batches.append(batch)

    producer.confirmed.clear()
    counts.add("published")
    flushing = asyncio.create_task(ledger.flush())
    await producer.asked.wait()
    await asyncio.sleep(0)
    made = running(StageRunner(Stage("a stage", 3, 0.0), note, ledger, lambda: generation.now))
    old, now = events(1), events(1, 1)
    made.put(part_of(old, 4))
    made.put(part_of(now, 5))
    await some_turns()
    assert batches == []
    generation.now = 5
    producer.confirmed.set()
    await flushing
    await until(lambda: batches)
    assert batches == [now]


async def test_tables_are_changed_one_event_after_the_other_and_then_acked():
    class Event(SimpleNamespace):
        acked = False

        def ack(self):
            self.acked = True

    events, order = [Event() for _ in range(3)], []
    working = asyncio.create_task(
        each(FakeStream(events), "t", lambda one: order.append([other.acked for other in events]))
    )
    await until(lambda: events[-1].acked)
    working.cancel()
    assert order == [[False] * 3, [True, False, False], [True, True, False]]


async def test_a_batch_that_went_to_somebody_else_meanwhile_is_not_acked(runner, generation, ledger, events):
    generation.now = 4

    async def rebalance(batch):
        generation.now = 5

    old, now = Batch(4, events(1)), Batch(5, events(1))
    await runner(rebalance).settle(old)
    await runner(rebalance).settle(now)
    await ledger.flush()
    assert (old[0].acked, now[0].acked) == (False, True)


async def test_a_stage_takes_no_more_than_it_has_room_for(runner, running, events, part_of):
    end = asyncio.Event()

    async def handle(batch):
        await end.wait()

    made = running(runner(handle, 1, max_bytes=10))
    made.put(part_of(events(1, value=b"x" * 6)))
    assert not made.is_full
    made.put(part_of(events(1, 1, value=b"x" * 6)))
    await some_turns()
    assert made.is_full, "what is worked on takes room too"
    end.set()
    await until(lambda: not made.is_full)


async def test_an_unacked_event_is_held_wherever_it_is(runner, running, ledger, events, part_of):
    """The consumer asks before a commit: one that nobody holds is a bug, and ends the process."""
    begun, ends = [], [asyncio.Event() for _ in range(2)]

    async def handle(batch):
        begun.append(batch)
        await ends[len(begun) - 1].wait()

    made, tp = runner(handle, 1), TP("genesys.raw", 0)
    assert not made.holds(tp, 0)
    made.put(part_of(events(2)))
    assert (made.holds(tp, 0), made.holds(tp, 1), made.holds(tp, 2)) == (True, True, False)
    running(made)
    await until(lambda: begun)
    assert (made.holds(tp, 0), made.holds(tp, 1), made.is_busy) == (True, True, True)
    ends[0].set()
    await until(lambda: len(begun) == 2)
    assert made.holds(tp, 0), "it is settled and not acked"
    await ledger.flush()
    assert (made.holds(tp, 0), made.holds(tp, 1)) == (False, True)
    made.clear()
    assert made.holds(tp, 1), "it is worked on"
    ends[1].set()
    await until(lambda: not made.holds(tp, 1) or ledger.is_behind)
    assert made.is_busy
    await ledger.flush()
    assert not made.is_busy


async def test_an_event_that_a_stage_forgets_is_nobody_s(runner, running, ledger, events, part_of):
    async def forgets(batch, ended):
        ended(batch[1:])

    made, tp = running(runner(forgets, alone=True)), TP("genesys.raw", 0)
    made.put(part_of(events(2)))
    await until(lambda: ledger.is_behind)
    await ledger.flush()
    await some_turns()
    assert not made.holds(tp, 0)


async def test_what_waits_at_a_revocation_is_left_and_what_has_begun_goes_on(runner, running, events, part_of):
    begun, end = [], asyncio.Event()

    async def handle(batch):
        begun.append(batch)
        await end.wait()

    given = events(4)
    made = running(runner(handle, 2))
    made.put(part_of(given))
    await until(lambda: begun)
    made.clear()
    end.set()
    await some_turns()
    assert begun == [given[:2]]


async def test_events_flow_though_all_have_room_for_one_only(runner, running, events, part_of):
    seen = []

    async def handle(batch):
        seen.extend(batch)

    given = events(20)
    made = running(runner(handle, 5, open_batches=2, max_bytes=1))
    for one in given:
        await until(lambda: not made.is_full)
        made.put(part_of([one]))
    await until(lambda: len(seen) == 20)
    assert seen == given


async def test_an_event_that_comes_by_the_stream_ends_the_process(runner, running):
    """Its topic's records come by the lane: whatever gave it to the stream does not know of the books."""
    deaths = []

    async def nothing(batch):
        """Settles what it is given."""

    running(runner(nothing, die=lambda where, error: deaths.append((where, error))), FakeStream([b"stray"]))
    await until(lambda: deaths)
    assert isinstance(deaths[0][1], StrayError)


async def test_a_bug_in_the_cutting_of_batches_ends_the_process(ledger, running, events, part_of):
    deaths = []

    async def nothing(batch):
        """Settles what it is given."""

    def broken():
        raise ValueError("a bug")

    stage = Stage("a stage", 3, 0.0)
    made = running(StageRunner(stage, nothing, ledger, broken, lambda where, error: deaths.append((where, error))))
    made.put(part_of(events(1)))
    await until(lambda: deaths)
    assert deaths[0][0] == "the cutting of batches"


async def test_a_paused_stage_begins_nothing_acks_nothing_and_loses_nothing(
    ledger, generation, running, events, part_of
):
    """What it was given stays unacked; when it goes on, each event ends once and in order."""
    open_, seen = asyncio.Event(), []

    async def handle(batch):
        seen.extend(one.offset for one in batch)

    given, stage = events(7), Stage("sink", 3, 0.0)
    made = running(StageRunner(stage, handle, ledger, lambda: generation.now, may_begin=open_.wait))
    made.put(part_of(given))
    await some_turns()
    await ledger.flush()
    assert (seen, [one.acked for one in given]) == ([], [False] * 7)
    assert ledger.stalled() is None
    open_.set()
    await until(lambda: len(seen) == 7 and ledger.is_behind)
    await ledger.flush()
    assert (seen, all(one.acked for one in given)) == (list(range(7)), True)


async def test_what_a_paused_stage_holds_goes_to_its_heir(ledger, generation, running, events, part_of):
    open_, seen = asyncio.Event(), []

    async def handle(batch):
        seen.extend(batch)

    old, stage = events(3), Stage("sink", 3, 0.0)
    made = running(StageRunner(stage, handle, ledger, lambda: generation.now, may_begin=open_.wait))
    made.put(part_of(old))
    await some_turns()
    generation.now = 1
    open_.set()
    await until(lambda: not made.holds(TP("genesys.raw", 0), 0))
    await ledger.flush()
    assert (seen, [one.acked for one in old]) == ([], [False] * 3)


async def test_what_of_an_open_batch_was_not_sent_is_left_when_a_rebalance_begins(
    runner, running, ledger, events, part_of
):
    batches, ends = [], asyncio.Event()

    async def handle(batch, ended):
        batches.append(batch)
        batch.when_left(ends.set)
        await ends.wait()
        ended(batch[:1])

    made = running(runner(handle, alone=True, max_bytes=10))
    made.put(part_of(events(3, value=b"x" * 5)))
    await until(lambda: batches)
    made.clear()
    await until(lambda: not made._open)
    assert (made.in_flight, made.is_full, batches[0].is_left) == (0, False, True)
    await ledger.flush()
    assert [one.acked for one in batches[0]] == [True, False, False]


async def test_a_batch_that_is_left_before_it_was_sent_is_not_settled(runner, running, ledger, events, part_of):
    given = events(2)

    async def handle(batch):
        raise LeftError

    made = running(runner(handle))
    made.put(part_of(given))
    await until(lambda: not made.in_flight)
    await ledger.flush()
    assert not any(one.acked for one in given)

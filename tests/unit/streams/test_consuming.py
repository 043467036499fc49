"""Tests of the consumer in hand, on a log that fetches, seeks and is rebalanced as aiokafka's is."""

import asyncio
import gc
from collections import defaultdict
from types import SimpleNamespace

import pytest
from aiokafka.errors import IllegalStateError, KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaTP
from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP

from streams import consuming
from streams.consuming import books_of

TP0, TP1 = TP("genesys.raw", 0), TP("genesys.raw", 1)
TABLE = TP("group-totals-changelog", 0)


class FakeMessage:
    """What the consumer makes of a record; can be held weakly."""

    def __init__(self, tp, offset):
        self.tp, self.offset = tp, offset


class FakeConsumer:
    """A Faust consumer's state over scripted logs; `given` is what the streams hold."""

    def __init__(self, **committed):
        self.logs = {TP0: range(0, 20), TP1: range(0, 20), TABLE: range(0, 5)}
        self.committed = {TP0: committed.get("first"), TP1: committed.get("second")}
        self.beginning_failures = 0
        self.sought, self.fails = [], None
        self.given, self.commits = [], 0
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            should_stop=False,
            shutdown_grace=3,
            topics=SimpleNamespace(acks_enabled_for=lambda topic: not topic.endswith("-changelog")),
            monitor=SimpleNamespace(track_tp_end_offset=lambda tp, offset: None),
        )
        self._read_offset = defaultdict(lambda: None)
        self._committed_offset = defaultdict(lambda: None)
        self._acked, self._acked_index, self._gap = defaultdict(list), defaultdict(set), defaultdict(dict)
        self._active_partitions, self._paused_partitions = {TP0, TP1, TABLE}, set()
        self._buffered_partitions = set()
        self._commit_every, self._n_acked = None, 0
        self.flow_active, self.should_stop = True, False
        self.suspend_flow = asyncio.Event()
        self.scheduler = DefaultSchedulingStrategy()
        self.log = SimpleNamespace(info=lambda *a: None, warning=lambda *a: None)
        self._thread = SimpleNamespace(_ensure_consumer=lambda: self, call_thread=self._call)
        self._coordinator = SimpleNamespace(fetch_committed_offsets=self._fetch_committed)

    async def _call(self, function, *arguments):
        return await function(*arguments)

    async def _fetch_committed(self, partitions):
        assert all(isinstance(tp, KafkaTP) for tp in partitions)
        return {tp: OffsetAndMetadata(-1 if self.committed[tp] is None else self.committed[tp], "")
                for tp in partitions}  # fmt: skip

    def assignment(self):
        return set(self.logs)

    async def earliest_offsets(self, *partitions):
        if self.beginning_failures:
            self.beginning_failures -= 1
            raise KafkaTimeoutError("away")
        return {tp: self.logs[tp][0] for tp in partitions}

    async def seek_wait(self, offsets):
        if self.fails:
            raise self.fails
        self.sought.append(dict(offsets))

    def highwater(self, tp):
        return len(self.logs[tp])

    def _to_message(self, tp, record):
        return FakeMessage(tp, record.offset)

    async def callback(self, message):
        self.given.append(message)

    async def commit(self):
        self.commits += 1

    async def _on_partitions_revoked(self, revoked):
        self.at_revocation = {tp: self._committed_offset[tp] for tp in revoked}

    async def fetch(self, tp, *offsets, active=None):
        records = [SimpleNamespace(offset=offset) for offset in offsets]
        await consuming._hand_out(self, {tp: records}, {TP0, TP1, TABLE} if active is None else active)

    def ack(self, *offsets, tp=TP0):
        self._acked[tp].extend(offsets)
        self._acked_index[tp].update(offsets)
        self.given = [message for message in self.given if message.offset not in offsets]
        gc.collect()

    def offsets(self):
        return [message.offset for message in self.given]


@pytest.fixture
def dead(monkeypatch):
    """What the process was ended for."""
    told = []
    monkeypatch.setattr(consuming, "die", lambda where, error: told.append(str(error)))
    return told


async def ready(**committed):
    consumer = FakeConsumer(**committed)
    await consuming.perform_seek(consumer)
    return consumer


async def test_every_partition_is_sought_though_nothing_was_ever_committed():
    consumer = FakeConsumer(first=7)
    consumer.logs[TP1] = range(3, 9)  # retention took the first three
    consumer.beginning_failures = 0
    await consuming.perform_seek(consumer)
    assert consumer.sought == [{TP0: 7, TP1: 3}]
    assert consumer._committed_offset == {TP0: 7, TP1: 3}
    assert set(books_of(consumer)) == {TP0, TP1}, "tables seek by themselves"


async def test_a_seek_waits_for_brokers_that_are_away(monkeypatch):
    real_sleep = asyncio.sleep
    monkeypatch.setattr(consuming.asyncio, "sleep", lambda seconds: real_sleep(0))
    consumer = FakeConsumer(first=7)
    consumer.beginning_failures = 2
    await consuming.perform_seek(consumer)
    assert consumer.sought == [{TP0: 7, TP1: 0}]


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
    assert consuming.new_offset(consumer, TP0) == 6
    assert dead == []


async def test_a_true_hole_is_passed(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 8, 9)
    assert consumer.offsets() == []
    await consumer.fetch(TP0, 8, 9)
    consumer.ack(8)
    assert consuming.new_offset(consumer, TP0) == 9
    assert dead == []


async def test_a_partition_that_was_revoked_before_it_could_be_read_again_is_left():
    consumer = await ready(first=5)
    consumer.fails = IllegalStateError("not assigned")
    await consumer.fetch(TP0, 8)
    await consumer.fetch(TP0, 8)
    assert consumer.offsets() == [], "a seek that failed proves no hole"


async def test_nothing_is_delivered_before_the_partition_was_sought():
    consumer = FakeConsumer(first=5)
    await consumer.fetch(TP0, 5, 6)
    assert consumer.offsets() == []


async def test_what_was_left_out_while_a_partition_was_paused_is_read_again():
    consumer = await ready(first=0)
    await consumer.fetch(TP0, 0, 1, active={TP1})
    await consumer.fetch(TP0, 2, 3)
    assert consumer.offsets() == []
    assert consumer.sought[-1] == {TP0: 0}


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


async def test_offsets_are_committed_up_to_the_first_in_flight(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, *range(5, 10))
    consumer.ack(6, 7)
    assert consuming.new_offset(consumer, TP0) is None
    consumer.ack(5)
    assert consuming.new_offset(consumer, TP0) == 8
    assert consuming.new_offset(consumer, TP0) == 8, "a commit that did not come about is tried again"
    consumer._committed_offset[TP0] = 8
    assert consuming.new_offset(consumer, TP0) is None
    assert consumer._acked_index[TP0] == set()
    assert dead == []


async def test_a_fresh_group_commits_from_the_beginning_alone(dead):
    """Stock Faust commits 8 when 7 alone is acked and nothing was ever committed."""
    consumer = await ready()
    await consumer.fetch(TP0, *range(0, 8))
    consumer.ack(7)
    assert consuming.new_offset(consumer, TP0) is None
    assert dead == []


async def test_an_event_that_nobody_holds_ends_the_process(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6, 7)
    consumer.given.pop(1)
    gc.collect()
    consumer.ack(5, 7)
    consuming.new_offset(consumer, TP0)
    assert dead == ["genesys.raw, partition 0, offset 6"]


async def test_what_a_rebalance_takes_from_the_streams_ends_nothing(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6, 7)
    consumer.flow_active = False  # the streams' buffers are cleared then
    consumer.given.clear()
    consumer.ack(5)
    assert consuming.new_offset(consumer, TP0) == 6
    assert dead == []


async def test_what_was_acked_before_a_revocation_is_committed_by_it_and_then_forgotten():
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5)
    await consuming.on_partitions_revoked(consumer, {TP0})
    assert consumer.at_revocation == {TP0: 5}, "stock Faust has forgotten it by then"
    assert TP0 not in books_of(consumer)
    assert TP0 not in consumer._committed_offset
    assert consumer._active_partitions == {TP1, TABLE}
    consumer.ack(5)
    assert consuming.new_offset(consumer, TP0) is None


async def test_acks_of_an_earlier_assignment_count_and_old_ones_do_not(dead):
    consumer = await ready(first=5)
    consumer.ack(3, 6)
    await consumer.fetch(TP0, 5, 6)
    consumer.ack(5)
    assert consuming.new_offset(consumer, TP0) == 7
    assert dead == []


async def test_a_changelog_is_read_on_from_where_its_table_sought():
    consumer = await ready()
    consumer._read_offset[TABLE] = 2
    await consumer.fetch(TABLE, 1, 2, 4)
    assert consumer.offsets() == [2, 4]
    assert consumer._read_offset[TABLE] == 4


async def test_much_that_is_acked_is_committed_between_records():
    consumer = await ready()
    consumer.logs[TP0] = range(0, 500)
    consumer._commit_every, consumer._n_acked = 10, 10
    await consumer.fetch(TP0, *range(0, 250))
    assert (consumer.commits, len(consumer.given)) == (1, 250)


async def test_the_drain_ends_with_the_app_and_gives_what_is_fetched(monkeypatch):
    consumer = await ready(first=0)
    fetches = [({TP0: [SimpleNamespace(offset=0)]}, {TP0}), ({}, {TP0})]

    async def next_records(timeout):
        if not fetches:
            consumer._stopped.set()
            return None, None
        return fetches.pop(0)

    consumer._wait_next_records = next_records
    consumer._stopped = asyncio.Event()
    consumer.consumer_stopped_errors = ()
    await consuming.drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
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
    draining = consuming.drain_messages(consumer, SimpleNamespace(_stopped=asyncio.Event()))
    if gets_out:
        with pytest.raises(ConnectionError):
            await draining
    else:
        await draining


class Waiting:
    """What `wait_empty` of a consumer works on: two events in flight, one is acked while it waits."""

    def __init__(self, grace):
        self.app = SimpleNamespace(shutdown_grace=grace)
        self.loop = self
        self.now = 0.0
        self.should_stop = False
        self._unacked_messages = {"one", "two"}
        self.commits, self.waits, self.ended = 0, 0, False

    async def commit(self):
        self.commits += 1

    async def _wait_for_ack(self, timeout):
        self.waits += 1
        self._unacked_messages.discard("one")
        self.now += timeout

    def time(self):
        return self.now

    def _clean_unacked_messages(self):
        pass

    async def commit_and_end_transactions(self):
        self.ended = True


async def test_a_stop_waits_no_longer_than_its_grace():
    consumer = Waiting(grace=3)
    async with asyncio.timeout(20):
        await consuming.wait_empty(consumer)
    assert consumer._unacked_messages == {"two"}
    assert (consumer.waits, consumer.commits) == (3, 3)
    assert consumer.ended


async def test_a_stop_ends_as_soon_as_all_is_acked():
    consumer = Waiting(grace=3_600)
    consumer._unacked_messages = {"one"}
    async with asyncio.timeout(20):
        await consuming.wait_empty(consumer)
    assert (consumer.waits, consumer.ended) == (1, True)


class Recovery:
    """What `on_recovery_completed` works on; `steps` is what it did, in order."""

    def __init__(self, *, generation=3, reassigned=False):
        self.steps = []
        note = lambda name: lambda *a: self.steps.append(name)  # noqa: E731
        state = SimpleNamespace(reassignment_in_progress=reassigned)
        consumer = SimpleNamespace(
            assignment=lambda: {TP0, TABLE},
            perform_seek=self._later("seek"),
            resume_partitions=lambda tps: self.steps.append(("resume", tps)),
            resume_flow=note("flow"),
            _thread=SimpleNamespace(_ensure_consumer=lambda: SimpleNamespace(_subscription=state)),
        )
        self.app = SimpleNamespace(
            consumer=consumer,
            consumer_generation_id=generation,
            on_rebalance_complete=SimpleNamespace(send=self._later("told")),
            flow_control=SimpleNamespace(resume=note("clear")),
            _fetcher=SimpleNamespace(maybe_start=self._later("fetch")),
            assignor=SimpleNamespace(assigned_standbys=lambda: []),
            on_rebalance_end=note("end"),
        )
        self.tables = type("Tables", (dict,), {"on_actives_ready": note("a"), "on_standbys_ready": note("s")})()
        self.completed = asyncio.Event()
        self.log = SimpleNamespace(info=lambda *a: None)

    def _later(self, name):
        async def step():
            self.steps.append(name)

        return step

    def _set_recovery_ended(self):
        self.steps.append("recovered")

    async def _wait(self, coroutine):
        await coroutine

    def _is_changelog_tp(self, tp):
        return tp == TABLE


async def test_streams_flow_only_when_they_were_sought_and_their_buffers_cleared():
    recovery = Recovery()
    await consuming.on_recovery_completed(recovery, 3)
    assert recovery.steps == ["told", "recovered", "seek", "clear", ("resume", {TP0}), "flow", "fetch", "a", "s", "end"]
    assert recovery.completed.is_set()


@pytest.mark.parametrize(
    "recovery", [{"generation": 4}, {"reassigned": True}], ids=["another generation", "a rebalance has begun"]
)
async def test_a_rebalance_meanwhile_leaves_the_flow_stopped(recovery):
    made = Recovery(**recovery)
    await consuming.on_recovery_completed(made, 3)
    assert made.steps == ["told", "recovered", "seek"]
    assert not made.completed.is_set()

"""Tests of a partition from its assignment to its revocation: sought first, committed in order, let go in order."""

import asyncio
import gc
from types import SimpleNamespace

import faust.tables.recovery
import pytest
from aiokafka.errors import IllegalStateError
from faust.transport.consumer import Consumer

from streams.faust_patches import partitions
from streams.faust_patches.partition_books import books_of
from streams.faust_patches.recovery import on_recovery_completed, seek_tables
from tests.unit.streams.faust_patches.fake_consumer import TABLE, TP0, TP1, FakeConsumer, FakeLane, ready, unpatched


async def test_every_partition_is_sought_though_nothing_was_ever_committed():
    consumer = FakeConsumer(first=7)
    consumer.logs[TP1] = range(3, 9)  # retention took the first three
    consumer.beginning_failures = 0
    await partitions.perform_seek(consumer)
    assert consumer.sought == [{TP0: 7, TP1: 3}]
    assert consumer._committed_offset == {TP0: 7, TP1: 3}
    assert set(books_of(consumer)) == {TP0, TP1}, "tables seek by themselves"


async def test_a_seek_waits_for_brokers_that_are_away(monkeypatch):
    real_sleep = asyncio.sleep
    monkeypatch.setattr(partitions.asyncio, "sleep", lambda seconds: real_sleep(0))
    consumer = FakeConsumer(first=7)
    consumer.beginning_failures = 2
    await partitions.perform_seek(consumer)
    assert consumer.sought == [{TP0: 7, TP1: 0}]


@pytest.mark.usefixtures("way")
async def test_offsets_are_committed_up_to_the_first_in_flight(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, *range(5, 10))
    consumer.ack(6, 7)
    assert partitions.new_offset(consumer, TP0) is None
    consumer.ack(5)
    assert partitions.new_offset(consumer, TP0) == 8
    assert partitions.new_offset(consumer, TP0) == 8, "a commit that did not come about is tried again"
    consumer._committed_offset[TP0] = 8
    assert partitions.new_offset(consumer, TP0) is None
    assert consumer._acked_index[TP0] == set()
    assert dead == []


@pytest.mark.usefixtures("way")
async def test_a_fresh_group_commits_from_the_beginning_alone(dead):
    """Stock Faust commits 8 when 7 alone is acked and nothing was ever committed."""
    consumer = await ready()
    await consumer.fetch(TP0, *range(0, 8))
    consumer.ack(7)
    assert partitions.new_offset(consumer, TP0) is None
    assert dead == []


@pytest.mark.usefixtures("way")
async def test_an_event_that_nobody_holds_ends_the_process(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6, 7)
    consumer.given.pop(1)
    gc.collect()
    consumer.ack(5, 7)
    partitions.new_offset(consumer, TP0)
    assert dead == ["genesys.raw, partition 0, offset 6"]


@pytest.mark.usefixtures("way")
async def test_what_a_rebalance_takes_from_the_streams_ends_nothing(dead):
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6, 7)
    consumer.flow_active = False  # the streams' buffers are cleared then
    consumer.given.clear()
    consumer.ack(5)
    assert partitions.new_offset(consumer, TP0) == 6
    assert dead == []


async def test_what_was_acked_before_a_revocation_is_committed_by_it_and_then_forgotten():
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5)
    await partitions.on_partitions_revoked(consumer, {TP0})
    assert consumer.at_revocation == {TP0: 5}, "stock Faust has forgotten it by then"
    assert TP0 not in books_of(consumer)
    assert TP0 not in consumer._committed_offset
    assert consumer._active_partitions == {TP1, TABLE}
    consumer.ack(5)
    assert partitions.new_offset(consumer, TP0) is None


async def test_a_buffer_that_gets_room_after_a_revocation_lets_nothing_flow():
    """Faust would fetch the partition while its tables are recovered, before it is sought."""
    consumer = await ready(first=5)
    consumer._active_partitions.discard(TP0)
    consumer._buffered_partitions.add(TP0)
    await partitions.on_partitions_revoked(consumer, {TP0})
    Consumer.on_buffer_drop(consumer, TP0)
    assert TP0 not in consumer._active_partitions


async def test_acks_of_an_earlier_assignment_count_and_old_ones_do_not(dead):
    consumer = await ready(first=5)
    consumer.ack(3, 6)
    await consumer.fetch(TP0, 5, 6)
    consumer.ack(5)
    assert partitions.new_offset(consumer, TP0) == 7
    assert dead == []


class Waiting:
    """What `wait_empty` of a consumer works on: two events in flight, one is acked while it waits."""

    def __init__(self, grace):
        self.lane = FakeLane([])
        self.app = SimpleNamespace(shutdown_grace=grace, lanes={"genesys.raw": self.lane})
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

    async def maybe_wait_for_commit_to_finish(self):
        assert not self.ended

    async def commit_and_end_transactions(self):
        self.ended = True


async def test_a_stop_waits_no_longer_than_its_grace():
    consumer = Waiting(grace=3)
    async with asyncio.timeout(60):
        await partitions.wait_empty(consumer)
    assert consumer._unacked_messages == {"two"}
    assert (consumer.waits, consumer.commits) == (3, 3)
    assert consumer.ended


async def test_a_stop_ends_as_soon_as_all_is_acked():
    consumer = Waiting(grace=3_600)
    consumer._unacked_messages = {"one"}
    async with asyncio.timeout(60):
        await partitions.wait_empty(consumer)
    assert (consumer.waits, consumer.ended) == (1, True)


async def test_a_stop_waits_for_what_a_lane_has_begun_with_and_leaves_what_waits_there():
    consumer = Waiting(grace=3)
    consumer._unacked_messages = {"one"}
    consumer.lane.is_busy = True
    async with asyncio.timeout(60):
        await partitions.wait_empty(consumer)
    assert (consumer.waits, consumer.lane.cleared) == (3, True)


class Recovery:
    """What `on_recovery_completed` works on; `steps` is what it did, in order."""

    def __init__(self, *, generation=3, reassigned=False, flows=False):
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
            flow_control=SimpleNamespace(resume=note("clear"), is_active=lambda: flows),
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


async def test_what_standby_tables_were_given_is_not_cleared_when_the_flow_is_on_already():
    recovery = Recovery(flows=True)
    await on_recovery_completed(recovery, 3)
    assert "clear" not in recovery.steps
    assert "flow" in recovery.steps


async def test_streams_flow_only_when_they_were_sought():
    recovery = Recovery()
    await on_recovery_completed(recovery, 3)
    assert recovery.steps == ["told", "recovered", "seek", "clear", ("resume", {TP0}), "flow", "fetch", "a", "s", "end"]
    assert recovery.completed.is_set()


@pytest.mark.parametrize(
    "recovery", [{"generation": 4}, {"reassigned": True}], ids=["another generation", "a rebalance has begun"]
)
async def test_a_rebalance_meanwhile_leaves_the_flow_stopped(recovery):
    made = Recovery(**recovery)
    await on_recovery_completed(made, 3)
    assert made.steps == ["told", "recovered", "seek"]
    assert not made.completed.is_set()


class Changelogs:
    """A consumer that seeks as aiokafka does; `revoked` is not its any more."""

    def __init__(self, revoked=()):
        self.sought, self._revoked = {}, revoked

    async def seek_wait(self, offsets):
        for tp, offset in offsets.items():
            if not isinstance(offset, int) or offset < 0:
                raise ValueError("Offset must be a positive integer")
            if tp in self._revoked:
                raise IllegalStateError(f"Partition {tp} is not currently assigned")
            self.sought[tp] = offset


@pytest.mark.parametrize("known", [7, -1, None], ids=["read to", "empty", "given since"])
async def test_tables_are_sought_where_they_have_been_read_to_and_what_a_rebalance_brought_is_left(known):
    consumer = Changelogs()
    await seek_tables(Recovery(), consumer, {TABLE, TP0}, {TABLE: known, TP0: 3}, "standby")
    assert consumer.sought == ({TP0: 3} if known is None else {TP0: 3, TABLE: max(0, known)})
    if known is None:
        with pytest.raises(ValueError, match="positive"):
            await unpatched(faust.tables.recovery.Recovery)._seek_offsets(None, consumer, {TABLE}, {TABLE: None}, "")


async def test_tables_that_a_rebalance_took_are_left():
    consumer = Changelogs(revoked={TABLE})
    await seek_tables(Recovery(), consumer, {TABLE}, {TABLE: 1}, "active")
    assert consumer.sought == {}


@pytest.mark.usefixtures("way")
async def test_what_has_ended_and_is_not_committed_is_timed(dead, monkeypatch):
    now = 100.0
    monkeypatch.setattr(partitions.time, "monotonic", lambda: now)
    consumer = await ready(first=5)
    await consumer.fetch(TP0, 5, 6)
    for books in books_of(consumer).values():
        books.committed_at = now
    now += 50
    assert partitions.seconds_uncommitted(consumer) == 0, "nothing has ended"
    partitions.new_offset(consumer, TP0)
    consumer.ack(6)
    assert partitions.seconds_uncommitted(consumer) == 0, "the first is in flight, which is the stages' business"
    consumer.ack(5)
    now += 20
    assert partitions.new_offset(consumer, TP0) == 7
    assert partitions.seconds_uncommitted(consumer) == 20
    consumer._committed_offset[TP0] = 7
    partitions.new_offset(consumer, TP0)
    assert partitions.seconds_uncommitted(consumer) == 0

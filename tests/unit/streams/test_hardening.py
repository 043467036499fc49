"""Tests of the patches: each fault of stock Faust on a consumer made by hand, mended by the patch."""

import asyncio
import importlib.util
import inspect
from collections import defaultdict
from types import SimpleNamespace
from weakref import WeakSet

import faust
import pytest
from faust.tables.base import Collection
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from faust.types import TP, Message
from intervaltree import IntervalTree

from streams import hardening
from streams.app import app

TP0 = TP("genesys.raw", 0)
TP1 = TP("genesys.raw", 1)


class HandMade:
    """What `_new_offset` and `_add_gap` of a consumer work on."""

    def __init__(self, committed):
        self._acked = defaultdict(list)
        self._acked_index = defaultdict(set)
        self._gap = defaultdict(IntervalTree)
        self._committed_offset = defaultdict(lambda: committed)
        self._unacked_messages = WeakSet()
        self.kept = []

    def flying(self, *offsets, tp=TP0):
        for offset in offsets:
            message = Message(tp.topic, tp.partition, offset, 0.0, 0, None, None, b"", None, tp=tp)
            self.kept.append(message)
            self._unacked_messages.add(message)

    def acked(self, *offsets, tp=TP0):
        self._acked[tp].extend(offsets)
        self._acked_index[tp].update(offsets)


def stock(name):
    return getattr(hardening, name)


def unpatched(patched):
    """The class as its module defines it, out of a second copy of the module."""
    spec = importlib.util.spec_from_file_location("second_copy", inspect.getfile(patched))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, patched.__name__)


@pytest.mark.parametrize(
    ("committed", "flying", "acked", "wrong", "right"),
    [
        (100, [100], [101], 102, None),
        (None, [0, 1, 2], [7], 8, None),
        (0, [0], [1], 2, None),
        (None, [3], [0, 1, 2, 4], 3, 3),
    ],
    ids=["one in flight below", "a fresh group", "committed at 0", "acked on both sides"],
)
def test_stock_faust_commits_past_an_event_in_flight(committed, flying, acked, wrong, right):
    for new_offset, expected in ((stock("_new_offset"), wrong), (hardening.capped_new_offset, right)):
        consumer = HandMade(committed)
        consumer.flying(*flying)
        consumer.acked(*acked)
        assert new_offset(consumer, TP0) == expected


def test_what_was_held_back_is_committed_when_the_rest_is_acked():
    consumer = HandMade(100)
    consumer.flying(100)
    consumer.acked(101, 102)
    assert hardening.capped_new_offset(consumer, TP0) is None
    consumer.kept[0].acked = True
    consumer.acked(100)
    assert hardening.capped_new_offset(consumer, TP0) == 103


def test_events_in_flight_on_another_partition_hold_nothing_back():
    consumer = HandMade(100)
    consumer.flying(5, tp=TP1)
    consumer.acked(100, 101)
    assert hardening.capped_new_offset(consumer, TP0) == 102


def test_nothing_acked_is_nothing_to_commit():
    consumer = HandMade(100)
    consumer.flying(100)
    assert hardening.capped_new_offset(consumer, TP0) is None


@pytest.mark.parametrize(("patched", "committed_past"), [(False, True), (True, False)], ids=["stock", "patched"])
async def test_a_gap_does_not_hold_the_message_behind_it(patched, committed_past):
    # After 101 comes 105 (a compacted topic); 105 is in flight while 106 is acked.
    consumer = HandMade(100)
    await (hardening.add_gap if patched else stock("_add_gap"))(consumer, TP0, 102, 105)
    consumer.acked(100, 101, 106)
    found = stock("_new_offset")(consumer, TP0)
    assert (found == 107) is committed_past
    if patched:
        assert found == 105


async def test_both_patches_together_never_skip_and_never_stall():
    consumer = HandMade(100)
    await hardening.add_gap(consumer, TP0, 102, 105)
    consumer.flying(105)
    consumer.acked(100, 101, 106)
    consumer._committed_offset[TP0] = hardening.capped_new_offset(consumer, TP0)
    assert consumer._committed_offset[TP0] == 102
    consumer.kept[0].acked = True
    consumer.acked(105)
    assert hardening.capped_new_offset(consumer, TP0) == 107


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
        await hardening.wait_empty(consumer)
    assert consumer._unacked_messages == {"two"}
    assert (consumer.waits, consumer.commits) == (3, 3)
    assert consumer.ended


async def test_a_stop_ends_as_soon_as_all_is_acked():
    consumer = Waiting(grace=3_600)
    consumer._unacked_messages = {"one"}
    async with asyncio.timeout(20):
        await hardening.wait_empty(consumer)
    assert (consumer.waits, consumer.ended) == (1, True)


@pytest.mark.parametrize(("patched", "entries"), [(False, 1_000), (True, 1)], ids=["stock", "patched"])
def test_updates_of_one_window_take_the_memory_of_one(patched, entries):
    method = hardening.key_ttl if patched else unpatched(Collection)._maybe_set_key_ttl
    table = SimpleNamespace(
        _should_expire_keys=lambda: True,
        _partition_timestamps=defaultdict(list),
        _partition_timestamp_keys=defaultdict(set),
        _partition_latest_timestamp=defaultdict(int),
    )
    for _ in range(1_000):
        method(table, ("pipeline", (60.0, 119.9)), 0)
    assert len(table._partition_timestamps[0]) == entries
    assert table._partition_timestamp_keys == {(0, 119.9): {("pipeline", (60.0, 119.9))}}
    assert table._partition_latest_timestamp[0] == 119.9


def test_the_patches_are_in_place():
    assert Consumer._new_offset is hardening.capped_new_offset
    assert Consumer._add_gap is hardening.add_gap
    assert Consumer.wait_empty is hardening.wait_empty
    assert Collection._maybe_set_key_ttl is hardening.key_ttl
    assert AIOKafkaConsumerThread._create_worker_consumer is hardening.quick_consumer
    assert Producer._settings_extra is hardening.idempotent_settings


async def test_a_fetch_is_answered_within_100_ms():
    thread = AIOKafkaConsumerThread.__new__(AIOKafkaConsumerThread)
    thread.consumer = SimpleNamespace(in_transaction=False)
    thread.app = app
    thread._assignor = app.assignor
    consumer = hardening.quick_consumer(thread, app.transport)
    try:
        assert consumer._fetch_max_wait_ms == 100
        assert consumer._enable_auto_commit is False
    finally:
        consumer._closed = True


async def test_the_producer_is_idempotent_and_waits_for_all_replicas():
    settings = hardening.idempotent_settings(app.producer)
    assert (settings["acks"], settings["enable_idempotence"]) == ("all", True)


def test_another_faust_is_refused(monkeypatch):
    monkeypatch.setattr(faust, "__version__", "0.16.0")
    with pytest.raises(RuntimeError, match=r"0\.16\.0 is installed .* install faust-streaming==0\.15\.3"):
        hardening.harden()


def test_a_faust_without_its_compiled_parts_is_refused(monkeypatch):
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(RuntimeError, match="unset NO_CYTHON"):
        hardening.harden()

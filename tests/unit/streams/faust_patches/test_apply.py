"""Tests of the patches: each fault of stock Faust on a consumer made by hand, fixed by the patch."""

from collections import defaultdict
from types import SimpleNamespace
from unittest.mock import AsyncMock

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch
from aiokafka.producer.transaction_manager import TransactionManager
from faust.exceptions import ProducerSendError
from faust.tables.base import Collection
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from faust.transport.producer import ProducerBuffer
from faust.types import TP

from clients.kafka import fetch_errors, offset_fetch
from streams.app import app
from streams.faust_patches import apply, fetch, partitions, recovery
from tests.unit.streams.faust_patches.fake_consumer import unpatched
from tests.unit.streams.faust_patches.test_new_partitions import Client


@pytest.mark.parametrize(("patched", "entries"), [(False, 1_000), (True, 1)], ids=["stock", "patched"])
def test_updates_of_one_window_take_the_memory_of_one(patched, entries):
    method = apply.key_ttl if patched else unpatched(Collection)._maybe_set_key_ttl
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
    assert Consumer.perform_seek is partitions.perform_seek
    assert Consumer._drain_messages is fetch.drain_messages
    assert Consumer._new_offset is partitions.new_offset
    assert Consumer.on_partitions_revoked is partitions.on_partitions_revoked
    assert Consumer.wait_empty is partitions.wait_empty
    assert Recovery.on_recovery_completed is recovery.on_recovery_completed
    assert Recovery._seek_offsets is recovery.seek_tables
    assert Recovery._wait is recovery.wait
    assert Recovery._build_highwaters is apply.build_highwaters
    assert Recovery._build_offsets is apply.build_offsets
    assert Collection._maybe_set_key_ttl is apply.key_ttl
    assert AIOKafkaConsumerThread._create_worker_consumer is apply.quick_consumer
    assert AIOKafkaConsumerThread.verify_event_path is apply.verify_event_path
    assert Producer._settings_extra is apply.idempotent_settings
    assert GroupCoordinator._do_fetch_commit_offsets is offset_fetch.do_fetch
    assert MessageBatch.expired is apply.never_expired
    assert Fetcher._proc_fetch_request is fetch_errors.proc_fetch_request


@pytest.mark.parametrize("patched", [False, True], ids=["stock", "patched"])
async def test_a_batch_waits_for_a_leader_and_no_sequence_number_is_missed(monkeypatch, patched):
    if not patched:
        monkeypatch.setattr(MessageBatch, "expired", unpatched(MessageBatch).expired)
    place, transactions = TopicPartition("raw", 0), TransactionManager(None, 0)
    transactions.set_pid_and_epoch(7, 0)
    waiting = MessageAccumulator(ClusterMetadata(), 1_000, 0, batch_ttl=-1.0, txn_manager=transactions)
    builder = waiting.create_builder()
    builder.append(timestamp=1, key=None, value=b"x")
    future = await waiting.add_batch(builder, place, 1)
    assert waiting.drain_by_nodes(()) == ({}, True), "no broker is known that leads the partition"
    assert transactions.sequence_number(place) == (0 if patched else 1)
    if patched:
        assert not future.done()
    else:
        with pytest.raises(NotLeaderForPartitionError):
            await future


async def test_a_fetch_is_answered_within_100_ms():
    thread = AIOKafkaConsumerThread.__new__(AIOKafkaConsumerThread)
    thread.consumer = SimpleNamespace(in_transaction=False)
    thread.app = app
    thread._assignor = app.assignor
    consumer = apply.quick_consumer(thread, app.transport)
    try:
        assert consumer._fetch_max_wait_ms == 100
        assert consumer._enable_auto_commit is False
    finally:
        consumer._closed = True


async def test_the_producer_is_idempotent_and_waits_for_all_replicas():
    settings = apply.idempotent_settings(app.producer)
    assert (settings["acks"], settings["enable_idempotence"]) == ("all", True)


def test_another_faust_is_refused(monkeypatch):
    monkeypatch.setattr(faust, "__version__", "0.16.0")
    with pytest.raises(RuntimeError, match=r"0\.16\.0 is installed .* install faust-streaming==0\.15\.3"):
        apply.harden()


def test_a_faust_without_its_compiled_parts_is_refused(monkeypatch):
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(RuntimeError, match="unset NO_CYTHON"):
        apply.harden()


@pytest.fixture
async def thread():
    """A thread that reads `raw`, which has a lane, and `metrics`; `looks` has what of a partition was looked at."""
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user([TopicPartition("raw", 0), TopicPartition("metrics", 0)])
    looks = []
    topics = SimpleNamespace(acks_enabled_for=lambda topic: True)
    return SimpleNamespace(
        consumer=SimpleNamespace(app=SimpleNamespace(lanes={"raw": object()}, monitor=object(), topics=topics)),
        time_started=0.0,
        _ensure_consumer=lambda: SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscriptions)),
        _verify_aiokafka_event_path=lambda now, tp: False,
        verify_recovery_event_path=lambda now, tp: looks.append("fetches"),
        state=subscriptions.subscription.assignment.state_value,
        looks=looks,
    )


@pytest.mark.parametrize(("topic", "looks"), [("raw", ["fetches"]), ("metrics", ["fetches", "stream"])])
def test_no_stream_is_missed_where_a_lane_works_off(thread, monkeypatch, topic, looks):
    thread.state(TopicPartition(topic, 0)).seek(5)
    monkeypatch.setattr(apply, "_verify_event_path", lambda self, now, tp: thread.looks.extend(["fetches", "stream"]))
    apply.verify_event_path(thread, 0.0, TP(topic, 0))
    assert thread.looks == looks


@pytest.mark.parametrize(
    ("partition", "stock"),
    [(0, AssertionError), (1, AttributeError)],
    ids=["its position is looked up", "it was taken away"],
)
def test_a_partition_without_a_position_ends_no_worker(thread, partition, stock):
    with pytest.raises(stock):
        apply._verify_event_path(thread, 0.0, TP("metrics", partition))
    apply.verify_event_path(thread, 0.0, TP("metrics", partition))
    assert thread.looks == ["fetches"]


class Rows(ProducerBuffer):
    """Faust's buffer of rows, whose channel refuses the first ones with these errors."""

    def __init__(self, *refusals, brokers=()):
        super().__init__()
        self.refusals, self.sent = list(refusals), []
        producer = SimpleNamespace(_producer=SimpleNamespace(client=Client(4, brokers)))
        self.app = SimpleNamespace(maybe_start_producer=AsyncMock(return_value=producer))

    async def sleep(self, seconds):
        """Sleeps no time."""

    def get_topic_name(self):
        return "changelog"

    async def publish_message(self, row, wait):
        if self.refusals:
            raise ProducerSendError("refused") from self.refusals.pop(0)
        self.sent.append(row)


def row(buffer, partition=0):
    return SimpleNamespace(message=SimpleNamespace(channel=buffer, partition=partition))


async def test_rows_wait_for_brokers_that_do_not_answer_or_do_not_know_yet():
    buffer = Rows(UnknownTopicOrPartitionError(), KafkaTimeoutError())
    one = row(buffer)
    await buffer._send_pending(one)
    assert buffer.sent == [one]


async def test_a_row_of_a_partition_that_is_new_waits_until_the_brokers_know_it():
    buffer = Rows(brokers=[4, 4, 6])
    one = row(buffer, partition=5)
    await buffer._send_pending(one)
    assert buffer.sent == [one]


async def test_a_row_that_is_refused_for_good_ends_the_worker():
    buffer = Rows(MessageSizeTooLargeError())
    with pytest.raises(ProducerSendError):
        await buffer._send_pending(row(buffer))

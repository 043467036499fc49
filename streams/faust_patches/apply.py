"""This module puts the patches in place of what loses events in faust-streaming 0.15.3.

Remove a patch when its upstream fix is in.

What the consumer delivers and commits is in fetch.py and partitions.py; the small patches are here. Each replaces
one method, and tests/unit/streams/faust_patches/ has its tests.
"""

from __future__ import annotations

import asyncio
from heapq import heappush
from typing import Any

import faust
import faust.streams
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance, GroupCoordinator
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.producer.message_accumulator import MessageBatch
from faust.exceptions import ProducerSendError
from faust.tables.base import Collection
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Producer
from faust.transport.producer import ProducerBuffer
from faust.types import TP

from clients.kafka import fetch_errors, offset_fetch
from streams.faust_patches import fetch, fetched_record, header_names, heartbeat, partitions, recovery, settled_notes
from streams.faust_patches.new_partitions import know
from streams.faust_patches.partition_books import lanes_of

VERSION = "0.15.3"

FETCH_WAIT_MS = 100

_create_worker_consumer = AIOKafkaConsumerThread._create_worker_consumer
_send_pending = ProducerBuffer._send_pending
_settings_extra = Producer._settings_extra
_verify_event_path = AIOKafkaConsumerThread.verify_event_path

build_highwaters = recovery.until_answered(Recovery._build_highwaters)
build_offsets = recovery.until_answered(Recovery._build_offsets)


def key_ttl(self: Any, key: Any, partition: int) -> None:
    """One heap entry for a window, not one for each update of it (memory grows by every update otherwise)."""
    if not self._should_expire_keys():
        return
    end = key[1][1]
    keys = self._partition_timestamp_keys[(partition, end)]
    if not keys:
        heappush(self._partition_timestamps[partition], end)
    keys.add(key)
    latest = self._partition_latest_timestamp
    latest[partition] = max(latest[partition], end)


async def send_pending(self: Any, fut: Any) -> None:
    """Send a table's row when the brokers take it; stock Faust ends the worker when they do not for half a minute."""
    while True:
        try:
            if (partition := fut.message.partition) is not None:
                producer = await self.app.maybe_start_producer()
                await know(producer._producer.client, fut.message.channel.get_topic_name(), partition)
            await _send_pending(self, fut)
            return
        except (ProducerSendError, KafkaError) as error:
            cause = error.__cause__ if isinstance(error, ProducerSendError) else error
            if not (isinstance(cause, KafkaTimeoutError) or getattr(cause, "retriable", False)):
                raise
            self.log.warning("Kafka takes no rows of tables; it is asked again: %r", cause)
            await asyncio.sleep(recovery.PAUSE_S)


def quick_consumer(self: Any, transport: Any) -> Any:
    """Ask brokers to answer a fetch within 100 ms; Faust fixes 1.5 s, which a quiet topic waits."""
    consumer = _create_worker_consumer(self, transport)
    consumer._fetch_max_wait_ms = FETCH_WAIT_MS
    return consumer


def verify_event_path(self: Any, now: float, tp: TP) -> None:
    """Of a topic with a lane look at the fetches alone: Faust sees no stream work it off and would say so for ever.

    That events of a lane are processed and committed is the watchdog's to watch (streams/worker/watchdog.py). A
    partition that is looked up anew has no position to compare: stock Faust would end the worker over it.
    """
    assignment = self._ensure_consumer()._fetcher._subscriptions.subscription.assignment
    state = assignment and assignment.state_value(TopicPartition(tp.topic, tp.partition))
    if tp.topic in lanes_of(self.consumer) or not (state and state.has_valid_position):
        self.verify_recovery_event_path(now, tp)
    else:
        _verify_event_path(self, now, tp)


def idempotent_settings(self: Any) -> dict[str, Any]:
    """Let the broker drop what the producer repeats after a lost answer."""
    return {**_settings_extra(self), "acks": "all", "enable_idempotence": True}


def never_expired(self: Any) -> bool:
    """Keep a batch for as long as its partition has no leader (`MessageBatch.expired`), as an idempotent producer must.

    Stock aiokafka fails it after a request's time-out, though the brokers may have it and count its numbers: when there
    is a leader again, they miss the numbers from then on, which ends the worker (streams/delivery/send.py).
    """
    return False


def harden() -> None:
    """Apply every patch. Raises RuntimeError for a Faust they were not made for."""
    if faust.__version__ != VERSION:
        raise RuntimeError(
            f"faust-streaming {faust.__version__} is installed but the delivery guarantee was proven on "
            f"{VERSION}: install faust-streaming=={VERSION}"
        )
    if getattr(faust.streams, "_CStreamIterator", None) is None:
        # The pure-Python iterator acks events that it skips in a rebalance (faust/streams.py, _py_aiter).
        raise RuntimeError("Faust runs without its compiled parts, which can lose events: unset NO_CYTHON or reinstall")
    Consumer.perform_seek = partitions.perform_seek  # type: ignore[method-assign]
    Consumer._drain_messages = fetch.drain_messages  # type: ignore[method-assign]
    Consumer._new_offset = partitions.new_offset  # type: ignore[method-assign]
    Consumer._filter_committable_offsets = settled_notes.committable_offsets  # type: ignore[method-assign]
    Consumer._commit_offsets = settled_notes.commit_offsets  # type: ignore[method-assign]
    ThreadDelegateConsumer._commit = settled_notes.commit  # type: ignore[method-assign]
    AIOKafkaConsumerThread._commit = settled_notes.commit_in_thread  # type: ignore[method-assign]
    Consumer.on_partitions_revoked = partitions.on_partitions_revoked  # type: ignore[method-assign]
    Consumer.wait_empty = partitions.wait_empty  # type: ignore[method-assign]
    Recovery.on_recovery_completed = recovery.on_recovery_completed  # type: ignore[method-assign]
    Recovery._seek_offsets = recovery.seek_tables  # type: ignore[method-assign]
    Recovery._wait = recovery.wait  # type: ignore[method-assign]
    Recovery._build_highwaters = build_highwaters  # type: ignore[method-assign]
    Recovery._build_offsets = build_offsets  # type: ignore[method-assign]
    Collection._maybe_set_key_ttl = key_ttl  # type: ignore[method-assign]
    AIOKafkaConsumerThread._create_worker_consumer = quick_consumer  # type: ignore[method-assign]
    AIOKafkaConsumerThread.verify_event_path = verify_event_path  # type: ignore[method-assign]
    GroupCoordinator._do_heartbeat = heartbeat.do_heartbeat
    GroupCoordinator.reset_generation = heartbeat.reset_generation
    GroupCoordinator._do_commit_offsets = heartbeat.do_commit_offsets
    GroupCoordinator._do_fetch_commit_offsets = offset_fetch.do_fetch
    CoordinatorGroupRebalance._send_sync_group_request = heartbeat.send_sync_group_request
    ProducerBuffer._send_pending = send_pending  # type: ignore[method-assign]
    Producer._settings_extra = idempotent_settings  # type: ignore[method-assign]
    MessageBatch.expired = never_expired
    fetcher.Fetcher._proc_fetch_request = fetch_errors.proc_fetch_request
    fetcher.MemoryRecords = header_names.KeptRecords
    fetcher.PartitionRecords.__next__ = header_names.next_record
    fetcher.PartitionRecords._consumer_record = fetched_record.fetched_record

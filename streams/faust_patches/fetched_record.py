"""This module makes of a fetched record what stages and streams read, for a fifth of what aiokafka's own costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class FetchedRecord:
    """One record, with the parts of aiokafka's `ConsumerRecord` that are used; `timestamp` in epoch ms."""

    __slots__ = ("headers", "key", "offset", "partition", "timestamp", "timestamp_type", "topic", "value")

    #: What Faust reads and hands on to nobody.
    checksum = serialized_key_size = serialized_value_size = None

    def __init__(
        self,
        topic: str,
        partition: int,
        offset: int,
        timestamp: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        timestamp_type: int | None = 0,
    ) -> None:
        self.topic, self.partition, self.offset = topic, partition, offset
        self.timestamp, self.timestamp_type = timestamp, timestamp_type
        self.key, self.value, self.headers = key, value, headers

    def __repr__(self) -> str:
        return f"FetchedRecord({self.topic}/{self.partition}/{self.offset})"


def fetched_record(self: Any, tp: Any, record: Any) -> FetchedRecord:
    """A record as the consumer hands it on (`aiokafka.consumer.fetcher.PartitionRecords._consumer_record`)."""
    return FetchedRecord(
        tp.topic,
        tp.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp_type,
    )

"""This module reads failure records, of the topic and of the queue."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import ConsumerRecord

from clients.aws.sqs_receiver import ReceivedMessage
from processors.event import headers
from processors.event.headers import Meta
from processors.event.strict_json import JsonObject, object_or_empty
from processors.replay.redrive import failed_id, failed_key, failed_ms
from processors.replay.selection import FailureSelection


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure record as it was read; `record` is None when it is none.

    `spot`: partition and offset in the topic; None of the queue's, whose copies may be written late.
    """

    record: JsonObject | None
    meta: Meta
    key: bytes | None
    at_ms: int
    spot: tuple[int, int] | None = None

    @property
    def failed_ms(self) -> int:
        """When it failed, by what the record says."""
        told_ms = failed_ms(self.record or {})
        return self.at_ms if told_ms is None else told_ms


def is_meant(selection: FailureSelection, failure: Failure) -> bool:
    """Whether a selection means the record. What is none has neither stage nor error: only one without those can."""
    if selection.spots and failure.spot not in selection.spots:
        return False
    record = failure.record or {}
    key = failed_key(record, failure.meta, failure.key) if selection.keys else b""
    event_id = failed_id(record, failure.meta)
    return selection.takes(record, failure.at_ms, key=key.decode("utf-8", "replace"), event_id=event_id)


def from_record(record: ConsumerRecord) -> Failure:
    """Read one record of the failures topic."""
    meta = headers.read(dict(record.headers))
    return Failure(_parsed(record.value), meta, record.key, record.timestamp, (record.partition, record.offset))


def from_message(message: ReceivedMessage) -> Failure:
    """Read one message of the queue: there are no headers, and the key is found again in the event."""
    return Failure(_parsed(message.body.encode("utf-8", "replace")), headers.read({}), None, message.sent_ms)


def _parsed(value: bytes | None) -> JsonObject | None:
    record = object_or_empty(value)
    return record if "stage" in record and "originalEvent" in record else None

"""This module is the failures stage: failures → SQS dead-letter queue, when there is one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from faust import EventT

from clients.aws.client import open_client
from clients.aws.sqs_sender import Message, Queue
from processors.delivery.failure_record import encode, failure_record
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.routes.outcome import Failed
from streams import topics
from streams.app import app, settings
from streams.delivery.stage import stage
from streams.health import health

log = structlog.get_logger(__name__)

_queue: Queue | None = None


@stage("failures", topics.failures, max_events=10, linger_s=0.05, waits_for=("kafka", "sqs"))
async def failures(batch: Sequence[EventT[Any]]) -> None:
    """failures → SQS dead-letter queue"""
    if settings.dlq_queue_url is None:
        return
    queue = await _open_queue(settings.dlq_queue_url)
    refusals = await queue.send([_message(event) for event in batch])
    for event, refusal in zip(batch, refusals, strict=True):
        if refusal is not None:
            log.error("SQS will never take this record; it stays on the failures topic",
                      code=refusal, partition=event.message.partition, offset=event.message.offset)  # fmt: skip


async def _open_queue(url: str) -> Queue:
    global _queue  # the client belongs to the app's event loop, which is not there at import
    if _queue is None:
        client = await app.add_async_context(open_client(settings, "sqs"))
        _queue = Queue(client, url, on_trouble=health.observer("sqs"))
    return _queue


def _message(event: EventT[Any]) -> Message:
    """The record's text as it stands; for a FIFO queue grouped by interaction, one message an event and stage."""
    value = event.value or b""
    record: JsonObject
    try:
        record = parse_object(value)
    except MalformedEventError as error:  # somebody else wrote it; SQS takes text alone
        record = failure_record(Failed.of(error), value, timestamp=_written_at(event))
        value = encode(record, settings.kafka_max_message_bytes)
    meta = headers.read(event.headers)
    event_id = record.get("eventId") or meta.event_id or f"{event.message.partition}-{event.message.offset}"
    return Message(
        body=value.decode(),
        group=event.message.key.decode("utf-8", "replace") if event.message.key else str(event_id),
        # SQS keeps the id for five minutes, though the message is gone: what fails again after a redrive has another.
        deduplication=f"{event_id}:{record.get('stage')}:{record.get('route') or ''}:{meta.replayed or ''}",
    )


def _written_at(event: EventT[Any]) -> datetime:
    try:
        return datetime.fromtimestamp(event.message.timestamp, UTC)
    except (ValueError, OSError, OverflowError):  # in microseconds, as some clients write it
        return datetime.now(UTC)

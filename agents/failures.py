"""This module is the failures stage: failures → SQS dead-letter queue, when there is one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from clients.aws.sqs_sender import Message, Queue
from processors.delivery.failure_record import encode, failure_record
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.routes.outcome import Failed
from streams.app import app
from streams.delivery.event import Event, key_of
from streams.delivery.stage import Stage

log = structlog.get_logger(__name__)


class Sends(Protocol):
    """A queue."""

    async def send(self, messages: Sequence[Message]) -> list[str | None]:
        """Send messages; gives for each why SQS will never take it, or None."""
        ...


class FailureMirror:
    """Copies failure records, of at most `max_bytes`, to the queue that `open_queue` gives, if it gives one."""

    def __init__(self, open_queue: Callable[[], Awaitable[Sends | None]], max_bytes: int) -> None:
        self._open_queue, self._max_bytes = open_queue, max_bytes

    async def copy(self, batch: Sequence[Event]) -> None:
        """Copy a batch; returns when the queue has all that it takes."""
        queue = await self._open_queue()
        if queue is None:
            return
        refusals = await queue.send([self._message(event) for event in batch])
        for event, refusal in zip(batch, refusals, strict=True):
            if refusal is not None:
                log.error("SQS will never take this record; it stays on the failures topic",
                          code=refusal, partition=event.message.partition, offset=event.message.offset)  # fmt: skip

    def _message(self, event: Event) -> Message:
        """The record's text as it stands; for a FIFO queue grouped by interaction, one message an event and stage."""
        value = event.value or b""
        record: JsonObject
        try:
            record = parse_object(value)
        except MalformedEventError as error:  # somebody else wrote it; SQS takes text alone
            record = failure_record(Failed.of(error), value, timestamp=_written_at(event))
            value = encode(record, self._max_bytes)
        meta = headers.read(event.headers)
        event_id = record.get("eventId") or meta.event_id or f"{event.message.partition}-{event.message.offset}"
        return Message(
            body=value.decode(),
            group=key_of(event) or str(event_id),
            # SQS keeps the id for five minutes, though the message is gone: what fails after a redrive has another.
            deduplication=f"{event_id}:{record.get('stage')}:{record.get('route') or ''}:{meta.replayed or ''}",
        )


def _written_at(event: Event) -> datetime:
    try:
        return datetime.fromtimestamp(event.message.timestamp, UTC)
    except (ValueError, OSError, OverflowError):  # in microseconds, as some clients write it
        return datetime.now(UTC)


async def open_queue() -> Queue | None:
    """The queue that the settings name; None when they name none: failures stay in Kafka alone then."""
    url = app.settings.dlq_queue_url
    return Queue(await app.aws("sqs"), url, on_trouble=app.health.observer("sqs")) if url is not None else None


mirror = FailureMirror(open_queue, app.settings.kafka_max_message_bytes)


@app.stage(Stage("failures", max_events=10, linger_s=0.05, waits_for=("kafka", "sqs")), app.flow.failures)
async def failures(batch: Sequence[Event]) -> None:
    """failures → SQS dead-letter queue"""
    await mirror.copy(batch)

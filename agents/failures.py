"""This module is the failures stage: failures → SQS dead-letter queue, when there is one."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from clients.aws.sqs_sender import QueueMessage, QueueSender
from clients.otlp import Spans
from processors.delivery.failure_record import encode_record, failure_record, short_form
from processors.event import trace_context
from processors.event.errors import MalformedEventError
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.counts import Counts
from processors.routes.outcome import Failed
from streams.app import app
from streams.delivery.buffer import Batch
from streams.delivery.event import Event, key_of, meta_of, origin_of
from streams.delivery.stage import Stage
from streams.delivery.targets.dead_letter_queue import read_limits

log = structlog.get_logger(__name__)

#: Fields of a record that are attributes of its message, beside the event's id.
FILTERED_BY = ("stage", "error", "route")


class FailureMirror:
    """Copies failure records, of at most `max_bytes`, to the queue that `open_queue` gives, if it gives one."""

    def __init__(
        self,
        open_queue: Callable[[], Awaitable[QueueSender | None]],
        max_bytes: int,
        counts: Counts,
        spans: Spans | None = None,
    ) -> None:
        self._open_queue, self._max_bytes, self._counts = open_queue, max_bytes, counts
        self._spans = spans or Spans()

    async def copy(self, batch: Sequence[Event]) -> None:
        """Copy a batch; returns when the queue has all that it takes."""
        queue = await self._open_queue()
        if queue is None:
            return
        began_ns = time.time_ns()
        messages = [self._message(event) for event in batch]
        refusals = await _send(queue, batch, messages)
        if any(refusals) and await _is_shorter_now(queue, messages, refusals):
            again = [index for index, refusal in enumerate(refusals) if refusal is not None]
            later = await _send(queue, [batch[index] for index in again], [messages[index] for index in again])
            refusals = [None if one is None else later.pop(0) for one in refusals]
        for event, refusal in zip(batch, refusals, strict=True):
            if refusal is not None:
                self._counts.add("not_mirrored")
                log.error("SQS will never take this record; it stays on the failures topic",
                          code=refusal, partition=event.partition, offset=event.offset)  # fmt: skip
            if self._spans.are_wanted and trace_context.is_sampled(trace := (meta := meta_of(event)).traceparent):
                attributes = {"event.id": meta.event_id, "route": meta.route}
                self._spans.note("mirror", trace, began_ns, attributes, error=refusal)

    def _message(self, event: Event) -> QueueMessage:
        """The record's text as it stands; for a FIFO queue grouped by interaction, one message an event and stage."""
        value = event.value or b""
        record: JsonObject
        try:
            record = parse_object(value)
        except MalformedEventError as error:  # somebody else wrote it; SQS takes text alone
            record = failure_record(Failed.of(error), value, timestamp=_written_at(event))
            value = encode_record(record, self._max_bytes)
        meta = meta_of(event)
        event_id = record.get("eventId") or meta.event_id or f"{event.partition}-{event.offset}"
        return QueueMessage(
            body=value.decode(),
            group=key_of(event) or str(event_id),
            # SQS keeps the id for five minutes, though the message is gone: what fails after a redrive has another.
            deduplication=f"{event_id}:{record.get('stage')}:{record.get('route') or ''}:{meta.replayed or ''}",
            attributes=_attributes({**{name: record.get(name) for name in FILTERED_BY}, "eventId": event_id}),
        )


async def _send(queue: QueueSender, events: Sequence[Event], messages: Sequence[QueueMessage]) -> list[str | None]:
    return await queue.send([_fitted(queue, event, one) for event, one in zip(events, messages, strict=True)])


async def _is_shorter_now(queue: QueueSender, messages: Sequence[QueueMessage], refusals: Sequence[str | None]) -> bool:
    """Whether a message was refused as the queue holds less than it did when its limits were last read."""
    known = queue.max_bytes
    await read_limits(queue)
    return queue.max_bytes < known and any(
        refusal is not None and message.size > queue.max_bytes
        for message, refusal in zip(messages, refusals, strict=True)
    )


def _fitted(queue: QueueSender, event: Event, message: QueueMessage) -> QueueMessage:
    """The message, or its short form where the queue has less room; the whole record stays in `failures`."""
    if message.size <= queue.max_bytes:
        return message
    room = queue.max_bytes - (message.size - len(message.body.encode()))
    short = short_form(message.body.encode(), room, origin_of(event))
    return message if short is None else replace(message, body=short.decode())


def _attributes(values: Mapping[str, object]) -> dict[str, str]:
    """Texts to filter by without opening the body; SQS takes none that is empty, nor control characters."""
    texts = {name: "".join(filter(str.isprintable, str(value)))[:256] for name, value in values.items() if value}
    return {name: text for name, text in texts.items() if text}


def _written_at(event: Event) -> datetime:
    try:
        return datetime.fromtimestamp(event.timestamp / 1000, UTC)
    except (ValueError, OSError, OverflowError):  # in microseconds, as some clients write it
        return datetime.now(UTC)


mirror = FailureMirror(app.dead_letters.open, app.settings.kafka_max_message_bytes, app.counts, app.spans)


@app.stage(Stage("failures", max_events=10, linger_s=0.05, waits_for=("kafka", "sqs")), app.flow.failures)
async def failures(batch: Batch) -> None:
    """failures → SQS dead-letter queue"""
    await mirror.copy(batch)

"""This module is the process stage: raw → validated | failures, or filtered and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import orjson
from faust import EventT

from processors import headers
from processors.errors import MalformedEventError
from processors.event import Event, decode
from processors.failure import Origin
from processors.outcome import Failed, Mapped
from processors.report import Counts
from streams import topics
from streams.app import app, settings
from streams.delivery import Record, counts, record, send, stage
from streams.failures import ENVELOPE_BYTES, report

#: Events between two moments in which the event loop may do something else (JSONata holds it).
BREATH = 25


@stage("process", topics.raw, max_events=500, linger_s=0.02)
async def process(batch: Sequence[EventT]) -> None:
    """raw → validated | failures"""
    records: list[Record] = []
    tally = Counts()
    for number, event in enumerate(batch):
        records.extend(_outcomes(event, tally))
        if number % BREATH == BREATH - 1:
            await asyncio.sleep(0)
    await send(records)
    counts.take(tally)


def _outcomes(message: EventT, tally: Counts) -> Iterator[Record]:
    origin = Origin(message.message.topic, message.message.partition, message.message.offset)
    meta = headers.read(message.headers)
    received_at = meta.received_at or int(message.message.timestamp * 1000)
    try:
        event = decode(message.value, meta.event_id)
    except MalformedEventError as error:
        tally.fail(error.stage, error.code)
        yield report(
            Failed.of(error), message.value, event_id=meta.event_id, origin=origin, received_at=received_at
        )
        return
    outcomes = app.routes.apply(event)
    if not outcomes:
        tally.add("filtered")
    for outcome in outcomes:
        sendable = _forward(outcome, event, message.value, origin, received_at) if isinstance(outcome, Mapped) else outcome
        if isinstance(sendable, Record):
            tally.add("validated")
            yield sendable
        else:
            tally.fail(sendable.stage, sendable.error)
            yield report(
                sendable,
                message.value,
                key=event.key,
                event_id=event.event_id,
                origin=origin,
                received_at=received_at,
            )


def _forward(mapped: Mapped, event: Event, original: bytes, origin: Origin, received_at: int) -> Record | Failed:
    try:
        value = orjson.dumps(mapped.entry)
    except TypeError as error:  # a mapping can make what JSON has no word for (a lone surrogate, a NaN is null)
        return Failed("transform", "MappingError", f"the mapped event is not JSON: {error}", route=mapped.route)
    room = settings.kafka_max_message_bytes - ENVELOPE_BYTES - len(value)
    if room < 0:
        return Failed(
            "transform", "EntryTooLarge", f"the mapped event has {len(value)} bytes", route=mapped.route
        )
    return record(
        topics.validated,
        event.key,
        value,
        {
            headers.EVENT_ID: event.event_id,
            headers.ROUTE: mapped.route,
            headers.RECEIVED_AT: str(received_at),
            headers.ORIGIN: str(origin),
            headers.ORIGINAL: original if len(original) <= room else None,
        },
    )

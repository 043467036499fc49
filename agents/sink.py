"""This module is the sink stage: validated → EventBridge bus | failures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from faust import EventT

from clients.aws.direct import open_events
from clients.aws.eventbridge import Accepted, EventBridge
from clients.aws.publisher import Publisher
from processors.delivery.entries import Entry, entry
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.headers import Meta, Origin
from processors.event.identity import derive_event_id
from processors.event.strict_json import JsonObject, parse_object
from processors.metrics.counts import Counts
from processors.routes.outcome import Failed
from streams import topics
from streams.app import app, settings
from streams.delivery.ledger import counts
from streams.delivery.report_failure import report
from streams.delivery.send import Record, send
from streams.delivery.stage import stage
from streams.health import health

#: Milliseconds; an event that claims to have been received longer ago has its `received-at` in another unit.
OLDEST_MS = 5 * 365 * 24 * 3600 * 1000

_publisher: Publisher | None = None
_opening = asyncio.Lock()


# Many small batches at a time: an entry in a long back-off holds up its few neighbours, not the stream.
@stage("sink", topics.validated, max_events=50, linger_s=0.0, waits_for=("kafka", "eventbridge"), open_batches=80)
async def sink(batch: Sequence[EventT[Any]]) -> None:
    """validated → EventBridge bus | failures"""
    publisher = await _open_publisher()
    tally = Counts()
    failures = await asyncio.gather(*(_publish(publisher, message, tally) for message in batch))
    await send(failure for failure in failures if failure is not None)
    counts.take(tally)


async def _open_publisher() -> Publisher:
    global _publisher  # the client belongs to the app's event loop, which is not there at import
    async with _opening:
        if _publisher is None:
            bus = EventBridge(await app.add_async_context(open_events(settings)))
            _publisher = Publisher(
                bus.put,
                max_bytes=settings.eventbridge_request_bytes,
                linger_s=settings.eventbridge_linger_ms / 1000,
                in_flight=settings.eventbridge_in_flight,
                max_retries=settings.max_retries,
                on_trouble=health.observer("eventbridge"),
                on_retry=lambda: counts.add("retries"),
            )
        return _publisher


if "sink" in settings.worker_roles:

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def open_bus() -> None:
        """Open the client with the worker: it takes a second, which the first event need not wait for."""
        await _open_publisher()


async def _publish(publisher: Publisher, message: EventT[Any], tally: Counts) -> Record | None:
    """Publish one event; gives the failure record when it cannot be."""
    meta = headers.read(message.headers)
    mapped: JsonObject | None = None
    try:
        mapped = parse_object(message.value or b"")
        sendable = _entry(mapped, meta)
    except (MalformedEventError, KeyError, TypeError, ValueError) as error:
        # Only somebody else's record gets here: what the process stage writes has been checked.
        words = f"not a mapped event: {error}"[:500]
        failed = Failed("publish", "MalformedEntry", words, route=meta.route, transformed=mapped)
        return _failure(failed, message, meta, tally)
    key = message.message.key.decode("utf-8", "replace") if message.message.key else str(mapped.get("id"))
    result = await publisher.publish(sendable, key)
    if isinstance(result, Accepted):
        tally.add("published")
        if meta.received_at is not None and meta.replayed is None:  # of an old event it would say nothing
            age_ms = int(time.time() * 1000) - meta.received_at
            if age_ms < OLDEST_MS:
                tally.latency(max(0, age_ms))
        return None
    failed = Failed("publish", result.code, result.message, (), meta.route, mapped, result.attempts)
    return _failure(failed, message, meta, tally)


def _entry(mapped: JsonObject, meta: Meta) -> Entry:
    route = app.routes.get(meta.route)
    named = route.texts.event_bus if route else None
    return entry(mapped, meta.event_bus or named or settings.eventbus_name)


def _failure(failed: Failed, message: EventT[Any], meta: Meta, tally: Counts) -> Record:
    tally.fail(failed.stage, failed.error)
    here = Origin(message.message.topic, message.message.partition, message.message.offset)
    event_id = meta.event_id or (derive_event_id(failed.transformed) if failed.transformed else None)
    return report(
        failed,
        # A validated event whose original did not fit beside it is found again by its origin.
        meta.original if meta.origin else meta.original or message.value,
        key=message.message.key.decode("utf-8", "replace") if message.message.key else None,
        event_id=event_id,
        origin=meta.origin or here,
        received_at=meta.received_at,
        event_bus=meta.event_bus,
        replayed=meta.replayed,
    )

"""This module is the process stage: raw → validated | failures, or filtered and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from faust import EventT

from processors.event import headers
from processors.event.headers import ENVELOPE_BYTES, Meta, Origin
from processors.metrics.counts import Counts
from processors.routes.outcome import Failed
from processors.routes.routes import Encoded, Raw, Routed
from streams import topics
from streams.app import app, settings
from streams.delivery.deduplication import BatchMarks, deduplication
from streams.delivery.ledger import counts, ledger
from streams.delivery.report_failure import report
from streams.delivery.send import Record, record, send
from streams.delivery.stage import is_current, stage
from streams.exit import die
from streams.routes import sandboxes
from streams.routes.breaker import breaker
from streams.routes.sandbox.mapping_process import SandboxError

#: Who sends; a batch gets here in the order in which it was mapped, so that the order of events holds.
_sending = asyncio.Lock()


# Two batches: one is mapped, in a process of its own, while the one before is sent.
@stage(
    "process",
    topics.raw,
    max_events=500,
    linger_s=0.02,
    waits_for=("kafka", "routes", "mapping (process)"),
    open_batches=2,
)
async def process(batch: Sequence[EventT[Any]]) -> None:
    """raw → validated | failures"""
    metas = [headers.read(message.headers) for message in batch]
    raws = [
        Raw(message.value, meta.event_id, received_at=_received_at(message, meta))
        for message, meta in zip(batch, metas, strict=True)
    ]
    sandbox = await sandboxes.sandbox("process")
    answers = await sandbox.apply(raws)
    async with _sending:
        while sandbox is not await sandboxes.sandbox("process") or not await breaker.admit(answers):
            sandbox = await sandboxes.sandbox("process")  # the routes have changed
            answers = await sandbox.apply(raws)
        # Meanwhile somebody else may have been given the events: who waits for an operator waits long.
        tally, made = Counts(), BatchMarks()
        await send(
            one
            for message, meta, answer in zip(batch, metas, answers, strict=True)
            if is_current(message)
            for one in _records(message, meta, answer, tally, made)
        )
        made.note()
        counts.take(tally)


ledger.before_acks.append(deduplication.write)

if "process" in settings.worker_roles:

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def start_mapping() -> None:
        """Start the mapping process with the worker, so that the first event does not wait for it."""
        try:
            await (await sandboxes.sandbox("process")).start()
        except SandboxError as error:
            die("the start of the mapping process", error)


def _records(message: EventT[Any], meta: Meta, answer: Routed, tally: Counts, made: BatchMarks) -> Iterator[Record]:
    """What is to be sent of one event; nothing when no route takes it."""
    origin = Origin(message.message.topic, message.message.partition, message.message.offset)
    received_at = _received_at(message, meta)
    if not answer.outcomes:
        tally.add("filtered")
    for outcome in answer.outcomes:
        if isinstance(outcome, Encoded):
            is_new = made.is_new(answer.event_id, outcome.route, message.message.partition)
            if not is_new and not _was_refused(meta, outcome.route):
                tally.add("duplicates")
                continue
            tally.add("validated")
            yield _validated(outcome, message, meta, answer, origin, received_at)
        else:
            tally.fail(outcome.stage, outcome.error)
            yield _failure(outcome, message, meta, answer, origin, received_at)


def _received_at(message: EventT[Any], meta: Meta) -> int:
    """When the event came (epoch ms): as its source said, else when Kafka got it."""
    return meta.received_at or int(message.message.timestamp * 1000)


def _was_refused(meta: Meta, route: str) -> bool:
    """Whether the event is redriven because EventBridge refused this output of it, which was made before."""
    return meta.replayed is not None and meta.route == route


def _failure(
    failed: Failed, message: EventT[Any], meta: Meta, answer: Routed, origin: Origin, received_at: int
) -> Record:
    return report(
        failed,
        message.value,
        key=answer.key,
        event_id=answer.event_id or meta.event_id,
        origin=origin,
        received_at=received_at,
        replayed=meta.replayed,
    )


def _validated(
    encoded: Encoded, message: EventT[Any], meta: Meta, answer: Routed, origin: Origin, received_at: int
) -> Record:
    route = app.routes.get(encoded.route)
    room = settings.kafka_max_message_bytes - ENVELOPE_BYTES - len(encoded.value)
    return record(
        topics.validated,
        answer.key or "",
        encoded.value,
        {
            headers.EVENT_ID: answer.event_id,
            headers.ROUTE: encoded.route,
            headers.RECEIVED_AT: str(received_at),
            headers.ORIGIN: str(origin),
            headers.EVENT_BUS: route.texts.event_bus if route else None,
            headers.REPLAYED: meta.replayed,
            headers.ORIGINAL: message.value if len(message.value) <= room else None,
        },
    )

"""This module reads the parts of the source that this worker owns, and writes them to `raw`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing

import orjson
import structlog

from clients.genesys.notifications.gap_healer import GapReport
from clients.genesys.rest.errors import GenesysError
from clients.genesys.rest.observer import CountName, Observer
from processors.event.intake import IntakeEvent, taken_in
from processors.event.lines import Line
from processors.event.redaction import redactor
from processors.metrics.counts import Counts
from processors.routes.outcome import Failed
from streams import topics
from streams.app import app, settings
from streams.delivery.ledger import counts, ledger
from streams.delivery.report_failure import report
from streams.delivery.send import Record, send
from streams.exit import die
from streams.health import health
from streams.sources import checkpoints, genesys
from streams.topology import METRICS_KEY

log = structlog.get_logger(__name__)

#: What the client counts -> our counter.
COUNTED: dict[CountName, str] = {
    "frame_duplicate": "duplicates",
    "frame_unchanged": "unchanged",
    "event_backfilled": "backfilled",
    "queue_name_missing": "names_missing",
    "topic_rejected": "topics_rejected",
    "topic_lost": "topics_lost",
    "gap_opened": "gaps",
    "gap_partly_healed": "gaps_partly_healed",
    "gap_lost": "gaps_lost",
}

readers: dict[int, asyncio.Task[None]] = {}

_refusals: list[int] = []  # parts that Genesys refuses to serve

_redact = redactor(settings.redact_fields)

_shared = genesys.Shared(settings, lambda: Observer(health.observer("genesys"), _count))


async def ingest(lines: Iterable[Line]) -> None:
    """Bring lines to `raw`, and what is no event to `failures`; returns when the broker has all."""
    tally = Counts()
    await send(_records(lines, tally))
    counts.take(tally)
    ledger.start()


async def read_part(part: int) -> None:
    parts = await genesys.parts(settings, topics.sources.get_topic_name())
    checkpoint = await checkpoints.last_checkpoint(settings, topics.sources.get_topic_name(), part)
    log.info("source starts", source=settings.genesys_source, part=part, position_ms=checkpoint.position_ms)
    try:
        async with _shared.use() as shared:
            opened = genesys.open_source(settings, shared, part, parts, checkpoint, _note_gap)
            remembering = asyncio.create_task(_remember(part, opened))
            remembering.add_done_callback(_watched)
            try:
                await pump(opened.batches)
            finally:
                remembering.cancel()
                await asyncio.gather(remembering, return_exceptions=True)
    except GenesysError as error:
        _refusals.append(part)
        if len(_refusals) == 1:  # the other parts meet the same one
            app.end_worker(f"Genesys Cloud refuses to serve events: {error}")


def _watched(writing: asyncio.Task[None]) -> None:
    if not writing.cancelled() and (error := writing.exception()) is not None:
        die("the writing of checkpoints", error)  # with a position that stands still, gaps would grow for ever


def ended(reader: asyncio.Task[None]) -> None:
    error = asyncio.CancelledError() if reader.cancelled() else reader.exception()
    if error is not None and reader in readers.values():
        die("the source", error)  # nobody else would notice that a part is not read any more


async def _remember(part: int, opened: genesys.OpenSource) -> None:
    """Write the part's checkpoint each second, when it has moved."""
    known: checkpoints.Checkpoint | None = None
    while opened.checkpoint is not None:
        await asyncio.sleep(1.0)
        now = opened.checkpoint()
        if now != known:
            await send([Record(topics.sources.get_topic_name(), str(part).encode(), now.encode(), partition=part)])
            known = now


async def _note_gap(gap: GapReport) -> None:
    """Tell the tables of a gap: found, healed (wholly or partly), or lost."""
    row = {
        "part": gap.part,
        "start_ms": gap.interval.start_ms,
        "end_ms": gap.interval.end_ms,
        "state": gap.state,
        "events": gap.events,
        "reason": gap.reason,
    }
    log.log(logging.ERROR if gap.state == "lost" else logging.WARNING, "gap", **row)
    await send([Record(topics.metrics.get_topic_name(), METRICS_KEY, orjson.dumps({"gap": row}))])


def _count(name: CountName, amount: int) -> None:
    if name in COUNTED:
        counts.add(COUNTED[name], amount)
        ledger.start()


async def pump(batches: AsyncIterator[list[Line]]) -> None:
    """Ingest batch after batch. Ending it ends the reading first: what has been read still gets to Kafka."""
    async with aclosing(batches) as reading:  # type: ignore[type-var]
        async for batch in reading:
            task = asyncio.create_task(ingest(batch))
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait_for(task, settings.shutdown_grace)
                raise


async def end(parts: list[int]) -> None:
    tasks = [readers.pop(part) for part in parts]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if tasks and not readers:
        health.well("genesys")


def _records(lines: Iterable[Line], tally: Counts) -> Iterator[Record]:
    received_at = int(time.time() * 1000)
    for found in taken_in(lines, received_at, settings.max_line_bytes, _redact):
        tally.add("ingested")
        if isinstance(found, IntakeEvent):
            yield Record(topics.raw.get_topic_name(), found.key, found.value, found.headers)
        else:
            tally.fail(found.error.stage, found.error.code)
            yield report(Failed.of(found.error), found.value, received_at=received_at)

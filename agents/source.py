"""This module is the source stage: Genesys Cloud → raw | failures.

Who owns partition n of the `sources` topic reads part n of the source: Kafka's group decides, so there is one
reader for each part, and another worker takes over when it dies. A file is read by the worker that has it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
import structlog
from faust import StreamT
from faust.types import TP

from clients.genesys.errors import GenesysError
from clients.genesys.gaps import GapReport
from clients.genesys.observer import CountName, Observer
from processors.intake import Taken, taken_in
from processors.lines import Line
from processors.outcome import Failed
from processors.redaction import redactor
from processors.report import Counts
from streams import sources, topics
from streams.app import app, settings
from streams.delivery import each, stop_worker
from streams.ending import die
from streams.failures import report
from streams.filesource import read_file
from streams.health import health
from streams.ledger import METRICS_KEY, counts, ledger
from streams.sending import Record, send

log = structlog.get_logger(__name__)

#: What the client counts -> our counter.
COUNTED: dict[CountName, str] = {
    "frame_duplicate": "duplicates",
    "frame_unchanged": "unchanged",
    "event_backfilled": "backfilled",
    "queue_name_missing": "names_missing",
    "topic_rejected": "topics_rejected",
    "gap_opened": "gaps",
    "gap_partly_healed": "gaps_partly_healed",
    "gap_lost": "gaps_lost",
}

_readers: dict[int, asyncio.Task[None]] = {}
_refusals: list[int] = []  # parts that Genesys refuses to serve
_redact = redactor(settings.redact_fields)
_shared = sources.Shared(settings, lambda: Observer(health.observer("genesys"), _count))

if "source" in settings.worker_roles and settings.genesys_source in ("notifications", "stream"):

    @app.agent(topics.sources, name="source")
    async def source(stream: StreamT[bytes]) -> None:
        """Genesys Cloud → raw | failures (the records are left: owning the partition is what counts)"""
        await each(stream, "source", lambda event: None)

    @app.on_partitions_assigned.connect
    async def _assigned(*arguments: Any, **_: Any) -> None:
        """Start what is ours now, end what is not; what stays ours is read on through the rebalance."""
        assigned: set[TP] = arguments[-1]
        name = topics.sources.get_topic_name()
        ours = {tp.partition for tp in assigned if tp.topic == name}
        owned = ours if settings.genesys_source == "notifications" else ours & {0}
        await _end([part for part in _readers if part not in owned])
        for part in owned - set(_readers):
            _readers[part] = asyncio.create_task(_read(part))
            _readers[part].add_done_callback(_ended)

    async def _stop() -> None:
        await _end(list(_readers))

    ledger.before_close.append(_stop)


if "source" in settings.worker_roles and settings.genesys_source.startswith("file:"):

    @app.task  # type: ignore[untyped-decorator]  # as Faust declares it
    async def read_whole_file() -> None:
        """file → raw | failures, once, from its beginning; a worker that is but a source then ends."""
        path = Path(settings.genesys_source.removeprefix("file:"))
        log.info("source starts", source=settings.genesys_source)
        try:
            await pump(read_file(path, settings.most_line_bytes))
        except OSError as error:
            await stop_worker(f"GENESYS_SOURCE names {path}, which cannot be read: {error.strerror}")
            return
        log.info("the file is in Kafka", file=path.name)
        if set(settings.worker_roles) <= {"source", "metrics"}:
            await stop_worker(f"all of {path.name} is in Kafka", exit_code=0)


async def ingest(lines: Iterable[Line]) -> None:
    """Bring lines to `raw`, and what is no event to `failures`; returns when the broker has all."""
    tally = Counts()
    await send(_records(lines, tally))
    counts.take(tally)
    ledger.start()


async def _read(part: int) -> None:
    parts = await sources.parts(settings, topics.sources.get_topic_name())
    checkpoint = await sources.last_checkpoint(settings, topics.sources.get_topic_name(), part)
    log.info("source starts", source=settings.genesys_source, part=part, position_ms=checkpoint.position_ms)
    try:
        async with _shared.use() as shared:
            opened = sources.open_source(settings, shared, part, parts, checkpoint, _note_gap)
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
            await stop_worker(f"Genesys Cloud refuses to serve events: {error}")


def _watched(writing: asyncio.Task[None]) -> None:
    if not writing.cancelled() and (error := writing.exception()) is not None:
        die("the writing of checkpoints", error)  # with a position that stands still, gaps would grow for ever


def _ended(reader: asyncio.Task[None]) -> None:
    error = asyncio.CancelledError() if reader.cancelled() else reader.exception()
    if error is not None and reader in _readers.values():
        die("the source", error)  # nobody else would notice that a part is not read any more


async def _remember(part: int, opened: sources.OpenSource) -> None:
    """Write the part's checkpoint each second, when it has moved."""
    known: sources.Checkpoint | None = None
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


async def _end(parts: list[int]) -> None:
    tasks = [_readers.pop(part) for part in parts]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if tasks and not _readers:
        health.well("genesys")


def _records(lines: Iterable[Line], tally: Counts) -> Iterator[Record]:
    received_at = int(time.time() * 1000)
    for found in taken_in(lines, received_at, settings.most_line_bytes, _redact):
        tally.add("ingested")
        if isinstance(found, Taken):
            yield Record(topics.raw.get_topic_name(), found.key, found.value, found.headers)
        else:
            tally.fail(found.error.stage, found.error.code)
            yield report(Failed.of(found.error), found.value, received_at=received_at)

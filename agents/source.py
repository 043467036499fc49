"""This module is the source stage: Genesys Cloud → raw | failures.

Who owns partition n of the `sources` topic reads part n of the source: Kafka's group decides, so there is one
reader for each part, and another worker takes over when it dies. A file is read by the worker that has it.
"""

from __future__ import annotations

import asyncio
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
from processors import headers
from processors.errors import MalformedEventError
from processors.event import Event, identify, json_type, parse
from processors.lines import Line, OversizedLine
from processors.outcome import Failed
from processors.report import Counts
from streams import sources, topics
from streams.app import app, settings
from streams.delivery import Record, counts, ledger, record, send, stop_worker
from streams.failures import report
from streams.filesource import read_file
from streams.health import health

log = structlog.get_logger(__name__)

_readers: dict[int, asyncio.Task[None]] = {}

if "source" in settings.worker_roles and settings.genesys_source in ("notifications", "stream"):

    @app.agent(topics.sources, name="source")
    async def source(stream: StreamT[bytes]) -> None:
        """Genesys Cloud → raw | failures (reads no records: owning the partitions is what counts)"""
        async for _ in stream.noack().events():
            log.warning("a record on the sources topic means nothing and is left")

    @app.on_partitions_assigned.connect
    async def _assigned(_: Any, assigned: set[TP], **__: Any) -> None:
        """Start what is ours now, end what is not; what stays ours is read on through the rebalance."""
        name = topics.sources.get_topic_name()
        owned = {tp.partition for tp in assigned if tp.topic == name and tp.partition < sources.parts(settings)}
        await _end([part for part in _readers if part not in owned])
        for part in owned - set(_readers):
            _readers[part] = asyncio.create_task(_read(part))

    @app.on_before_shutdown.connect
    async def _stop(*_: Any, **__: Any) -> None:
        await _end(list(_readers))


if "source" in settings.worker_roles and settings.genesys_source.startswith("file:"):

    @app.task
    async def read_whole_file() -> None:
        """file → raw | failures, once, from its beginning; a worker that is nothing but a source then ends."""
        path = Path(settings.genesys_source.removeprefix("file:"))
        log.info("source starts", source=settings.genesys_source)
        try:
            await pump(read_file(path, settings.genesys_max_line_bytes))
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
    log.info("source starts", source=settings.genesys_source, part=part)
    try:
        async with sources.open_source(settings, part, health.observer("genesys")) as batches:
            await pump(batches)
    except GenesysError as error:
        await stop_worker(f"Genesys Cloud refuses to serve events: {error}")


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
    if tasks:
        health.well("genesys")


def _records(lines: Iterable[Line], tally: Counts) -> Iterator[Record]:
    received_at = int(time.time() * 1000)
    for line in lines:
        if isinstance(line, OversizedLine):
            message = f"a line of {line.size} bytes; the limit is GENESYS_MAX_LINE_BYTES={settings.genesys_max_line_bytes}"
            yield _refuse(MalformedEventError(message, code="LineTooLong"), line.prefix, received_at, tally)
            continue
        try:
            found = parse(line)
        except MalformedEventError as error:
            yield _refuse(error, line, received_at, tally)
            continue
        items = found if isinstance(found, list) else [found]
        for item in items:
            tally.add("ingested")
            value = line if item is found else orjson.dumps(item)
            if isinstance(item, dict):
                yield _ingested(identify(item), value, received_at)
            else:
                error = MalformedEventError(f"expected a JSON object, got {json_type(item)}", code="NotAnObject")
                yield _failed(error, value, received_at, tally)


def _ingested(event: Event, value: bytes, received_at: int) -> Record:
    names = {headers.EVENT_ID: event.event_id, headers.RECEIVED_AT: str(received_at)}
    return record(topics.raw, event.key, value, {**names})


def _refuse(error: MalformedEventError, value: bytes, received_at: int, tally: Counts) -> Record:
    tally.add("ingested")
    return _failed(error, value, received_at, tally)


def _failed(error: MalformedEventError, value: bytes, received_at: int, tally: Counts) -> Record:
    tally.fail(error.stage, error.code)
    return report(Failed.of(error), value, received_at=received_at)

"""This module makes ready what a worker needs, before anything is started.

A thing that is wrong ends the start with one line and exit code 2; Kafka or a schema registry that does not answer is
waited for, up to a minute, because a cluster that starts as a whole has no order. A bus or a queue that does not answer
holds up its own stage alone (streams/worker/dependencies.py): events are read, mapped and kept in Kafka meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import structlog
from aiokafka.errors import KafkaError

from clients.kafka.cluster import Cluster
from clients.kafka.configs import BATCH_BYTES, batch_bytes
from clients.otlp import Spans
from processors.routes.routes import Routes
from processors.routes.target import targets_of
from settings import EXIT_USAGE, Settings, SettingsError
from streams.checks.aws import buses_of, check_buses, check_queue, check_source_queue
from streams.checks.finding import Finding
from streams.checks.kafka import check_group, check_kafka
from streams.checks.machine import check_folder, check_port, check_web
from streams.checks.routes import check_routes
from streams.checks.source import check_file
from streams.topology import needed_topics
from streams.worker.logs import set_up_logging
from streams.worker.topic_creation import PATIENCE_S, create_topics

log = structlog.get_logger(__name__)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker starts with. `batch_bytes`: what the topics take at once.

    What does not answer, with why: buses by name, and the dead-letter queue.
    """

    batch_bytes: int
    buses: dict[str, str] = field(default_factory=dict)
    queue: str | None = None


async def preflight(settings: Settings, conf: Any, use: Callable[[Routes], None], spans: Spans) -> Start:
    """Check settings, routes, Kafka, topics, buses and queue for the roles of this worker; make missing topics.

    `conf` is Faust's configuration; `use` gets the routes when they are right.
    """
    _own_logging(settings)
    _require(spans.open)
    roles = set(settings.worker_roles)
    if "source" in roles:
        _require_source(settings)
        await _source_queue(settings)
    _own_places(settings, conf)
    routes = await _found(lambda: check_routes(settings))
    use(routes)
    brokers = await _found(lambda: check_kafka(settings, ()))
    await _all_ok(lambda: check_group(settings))
    buses = await _buses(settings, routes) if "sink" in roles else {}
    queue = [str(one) for one in await check_queue(settings) if not _is_there(one)] if "failures" in roles else []
    await _topics(settings, brokers)
    return Start(await _batch_bytes(settings), buses, queue[0] if queue else None)


def refuse_to_start(reason: str) -> NoReturn:
    """End the process with one line and exit code 2."""
    if sys.stdout.isatty():
        print("\033[?25h", end="")  # `faust worker` draws a spinner, which hides the cursor
    sys.stdout.flush()
    print(f"genesys-eventbridge: {reason}", file=sys.stderr, flush=True)
    os._exit(EXIT_USAGE)  # the loop is running and services wait: an exception would not get out of it


def _own_logging(settings: Settings) -> None:
    """Log under `faust worker` as under `worker`: Faust's own set-up shows what httpx asks for, channel ids too."""
    if not structlog.is_configured():
        sys.stdout, sys.stderr = sys.__stdout__ or sys.stdout, sys.__stderr__ or sys.stderr  # Faust has wrapped them
        set_up_logging(settings)


def _own_places(settings: Settings, conf: Any) -> None:
    """The port of the web views and the folder for local state: taken or closed, they would end the start later."""
    found = [check_folder(settings, conf.datadir)]
    found += [check_port(conf.web_bind, conf.web_port), check_web(settings)] if conf.web_enabled else []
    for one in found:
        _is_there(one)


def _require(met: Callable[[], object]) -> None:
    """Have something made ready that raises SettingsError when a setting is missing or wrong."""
    try:
        met()
    except SettingsError as error:
        refuse_to_start(str(error))


def _require_source(settings: Settings) -> None:
    _require(settings.require_genesys)
    if settings.genesys_source.startswith("file:"):
        found = check_file(settings.genesys_source[5:])
        if not found.ok:
            refuse_to_start(str(found))


async def _source_queue(settings: Settings) -> None:
    url = settings.source_queue_url
    if url is not None:
        await _all_ok(lambda: check_source_queue(settings, url, tries=False))


async def _all_ok(check: Callable[[], Awaitable[list[Finding]]]) -> None:
    async def found() -> tuple[bool, list[Finding]]:
        return True, await check()

    await _found(found)


async def _found(check: Callable[[], Awaitable[tuple[Found | None, list[Finding]]]]) -> Found:
    """Check until all is right, and give what was found; what does not answer is waited for."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        found, findings = await check()
        wrong = [finding for finding in findings if not finding.ok]
        if not wrong:
            assert found is not None, "what is not found has a finding that says so"
            return found
        if not wrong[0].unreachable or time.monotonic() > ends:
            refuse_to_start(str(wrong[0]))
        log.warning("waiting", on=str(wrong[0]))
        await asyncio.sleep(2.0)


async def _buses(settings: Settings, routes: Routes) -> dict[str, str]:
    buses = buses_of(settings, routes)
    findings = await check_buses(settings, buses, targets_of(routes))
    if len(findings) != len(buses):  # one for all, where not even a client could be opened
        findings *= len(buses)
    return {bus: str(one) for bus, one in zip(buses, findings, strict=True) if not _is_there(one)}


def _is_there(found: Finding) -> bool:
    """False where the thing does not answer; ends the start when it is wrong, and tells of what is worth a look."""
    if not found.ok and not found.unreachable:
        refuse_to_start(str(found))
    if not found.ok or found.fix:
        log.warning("worth a look" if found.ok else "goes on without", on=str(found))
    return found.ok


async def _topics(settings: Settings, found: Cluster) -> None:
    try:
        await create_topics(settings, found)
    except SettingsError as error:
        refuse_to_start(str(error))


async def _batch_bytes(settings: Settings) -> int:
    """What each topic takes in one batch: brokers refuse larger ones, though every record in them is small."""
    try:
        found = await batch_bytes(settings, needed_topics(settings))
    except KafkaError as error:  # brokers that do not tell, or may not be asked
        log.info("the topics' limits are not known", reason=type(error).__name__)
        return min(BATCH_BYTES, settings.kafka_max_message_bytes)
    if found < min(BATCH_BYTES, settings.kafka_max_message_bytes):
        fix = "lower KAFKA_MAX_MESSAGE_BYTES, or raise max.message.bytes: what is longer waits for ever"
        log.warning("a topic takes less than KAFKA_MAX_MESSAGE_BYTES", takes=found, fix=fix)
    return found

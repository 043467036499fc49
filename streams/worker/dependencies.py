"""This module looks again, while a worker runs, at what was true when it started: its buses, its queue, its partitions.

EventBridge answers success for a bus that was deleted, and drops the entry: so the bus is looked at, and what goes to
it is held back while it is not there. So is what goes to one that could not be looked at when the worker started.

A topic that is given more partitions than its changelog has is not read in whole: Faust wants both alike, and asks for
their number every five minutes alone. So health says at once what to do; a start gives the changelogs as many. One
without a changelog is followed: the consumer asks for the partitions at once. And a changelog whose retention was
shortened gets back what the settings want.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog

from clients.kafka.retention import keep_long_enough
from processors.routes.routes import Routes
from settings import Settings
from streams.checks.aws import buses_of, probe_bus, probe_queue
from streams.checks.finding import Finding
from streams.delivery.targets.buses import Buses
from streams.delivery.targets.dead_letter_queue import DeadLetterQueue
from streams.health import Health
from streams.topology import kept_ms, needed_topics, short_changelogs

log = structlog.get_logger(__name__)

#: Seconds between two looks at the buses; what is put on a bus in between, while it is not there, is put again.
BUS_S = 10.0

#: Seconds between two looks at the partitions, which the watchdog asks for as often.
PARTITIONS_S = 5.0

#: Seconds between two looks at the queue while it is there; one that was not is looked at as often as the buses.
QUEUE_S = 60.0

#: Seconds between two looks at how long changelogs keep; what is too old goes with its segment, not at once.
RETENTION_S = 600.0

#: The part that health names for the dead-letter queue itself; `sqs` is the sending to it.
QUEUE = "queue"

#: The part that health names for topics that were given more partitions.
PARTITIONS = "partitions"


class PartitionSource(Protocol):
    """What asks Kafka (streams/delivery/faust_clients.py)."""

    async def partitions(self, topics: Iterable[str]) -> dict[str, int]: ...
    async def follow_partitions(self) -> None: ...


class DependencyChecks:
    """Looks at what the roles of this worker need; a warning is given once.

    `kafka`: this worker's consumer and producer.
    """

    def __init__(
        self,
        settings: Settings,
        health: Health,
        routes: Callable[[], Routes],
        buses: Buses,
        queue: DeadLetterQueue,
        kafka: PartitionSource,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._health, self._routes = settings, health, routes
        self._buses, self._queue, self._clock = buses, queue, clock
        self._kafka, self._needed = kafka, needed_topics(settings)
        self._queue_due = -math.inf
        self._known: dict[str, int] = {}
        self._warned: dict[str, str] = {}

    def begin(self, unseen: dict[str, str], queue: str | None) -> None:
        """Know what did not answer at the start, with why: buses by name, and the queue."""
        self._buses.unseen = unseen
        if queue is not None:
            self._health.trouble(QUEUE, queue)

    async def check_buses(self) -> None:
        """Hold back what goes to a bus that is not there; let it go on when it is."""
        if "sink" not in self._settings.worker_roles:
            return
        publisher = await self._buses.open()
        for bus in dict.fromkeys((*buses_of(self._settings, self._routes()), *publisher.buses)):
            asked_at = self._clock()
            found = await probe_bus(self._buses.bridge, bus)
            if found.missing or (found.unreachable and publisher.is_gone(bus)):
                publisher.gone(bus, str(found))
            elif found.ok:
                self._warn(found)
                publisher.seen(bus, asked_at, trusted=bool(found.fix))

    async def check_queue(self) -> None:
        """Tell health of a queue that is not there, though nothing is sent to it just now."""
        if "failures" not in self._settings.worker_roles or self._clock() < self._queue_due:
            return
        if (queue := await self._queue.open()) is None:
            return
        found = await probe_queue(queue)
        if found.ok:
            self._warn(found)
            self._health.healthy(QUEUE)
            self._queue_due = self._clock() + QUEUE_S - BUS_S / 2  # asked each BUS_S, and a timer comes a little early
        else:
            self._health.trouble(QUEUE, str(found))

    async def check_partitions(self) -> None:
        """Tell health of topics that were given more partitions than their changelogs have; follow the others."""
        found = await self._kafka.partitions(self._needed)
        short = short_changelogs(self._settings, found)
        if not short:
            self._health.healthy(PARTITIONS)
            # The first look follows too: the group may have shared out what there was before.
            if any(number > self._known.get(name, 0) for name, number in found.items()):
                if self._known:
                    log.info("topics were given more partitions", topics=found)
                await self._kafka.follow_partitions()
            self._known = found
            return
        numbers = ", ".join(f"{name} to {number}" for name, number in short.items())
        fix = "a start raises" if self._settings.kafka_create_topics else "raise"
        words = f"a topic was given partitions that are not all read: restart the workers ({fix} {numbers})"
        self._health.trouble(PARTITIONS, words)

    async def check_retention(self) -> None:
        """Raise what changelogs keep where it is shorter than the settings want, as the start does."""
        if self._settings.kafka_create_topics:
            await keep_long_enough(self._settings, kept_ms(self._settings))

    def _warn(self, found: Finding) -> None:
        if found.fix and self._warned.get(found.name) != found.fix:
            log.warning("worth a look", on=str(found))
        self._warned[found.name] = found.fix

"""This module looks again, while a worker runs, at what was true when it started: its buses, its queue, its partitions.

EventBridge answers success for a bus that was deleted, and drops the entry: so the bus is looked at, and what goes to
it is held back while it is not there. So is what goes to one that could not be looked at when the worker started.

A topic that is given more partitions is read in whole only when its changelog has as many: Faust ends over another
number at the next assignment, and aiokafka asks for it every five minutes alone. So changelogs follow, then it asks.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from aiokafka.errors import KafkaError

from processors.routes.routes import Routes
from settings import Settings
from streams.checks.aws import buses_of, look_at_bus, look_at_queue
from streams.checks.finding import Finding
from streams.delivery.mirroring import DeadLetterQueue
from streams.delivery.publishing import Buses
from streams.health import Health
from streams.topology import short_changelogs, short_fix

log = structlog.get_logger(__name__)

#: Seconds between two looks at the buses; what is put on a bus in between, while it is not there, is put again.
BUS_S = 10.0

#: Seconds between two looks at the partitions, which the watchdog asks for as often.
PARTITIONS_S = 5.0

#: Seconds between two looks at the rest.
REST_S = 60.0

#: The part that health names for the dead-letter queue itself; `sqs` is the sending to it.
QUEUE = "queue"

#: The part that health names for topics that were given more partitions.
PARTITIONS = "partitions"


@dataclass(frozen=True, slots=True)
class Kafka:
    """What is asked of Kafka: how many partitions topics have, more for some, and that the new ones are assigned."""

    partitions: Callable[[], Awaitable[dict[str, int]]]
    add_partitions: Callable[[Mapping[str, int]], Awaitable[None]]
    assign_anew: Callable[[], Awaitable[None]]


class Lookout:
    """Looks at what the roles of this worker need; a warning is told once."""

    def __init__(
        self,
        settings: Settings,
        health: Health,
        routes: Callable[[], Routes],
        buses: Buses,
        queue: DeadLetterQueue,
        kafka: Kafka,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._health, self._routes = settings, health, routes
        self._buses, self._queue, self._kafka, self._clock = buses, queue, kafka, clock
        self._partitions: dict[str, int] = {}
        self._warned: dict[str, str] = {}

    async def look_at_buses(self) -> None:
        """Hold back what goes to a bus that is not there; let it go on when it is."""
        if "sink" not in self._settings.worker_roles:
            return
        publisher = await self._buses.open()
        for bus in dict.fromkeys((*buses_of(self._settings, self._routes()), *publisher.buses)):
            asked_at = self._clock()
            found = await look_at_bus(self._buses.bridge, bus)
            if found.missing or (found.unreachable and publisher.is_gone(bus)):
                publisher.gone(bus, str(found))
            elif found.ok:
                self._warn(found)
                publisher.seen(bus, asked_at, trusted=bool(found.fix))

    async def look_at_queue(self) -> None:
        """Tell health of a queue that is not there, though nothing is sent to it just now."""
        if "failures" not in self._settings.worker_roles or (queue := await self._queue.open()) is None:
            return
        found = await look_at_queue(queue)
        if found.ok:
            self._warn(found)
            self._health.well(QUEUE)
        else:
            self._health.trouble(QUEUE, str(found))

    async def look_at_partitions(self) -> None:
        """Let changelogs follow topics that were given more partitions, and have these assigned."""
        settings, known = self._settings, await self._kafka.partitions()
        if short := short_changelogs(settings, known):
            reason = f"more than their changelogs have: {short_fix(short)}"
            if not settings.kafka_create_topics:
                self._health.trouble(PARTITIONS, f"{reason}; until then the new ones are not read")
                return
            try:
                await self._kafka.add_partitions(short)
            except KafkaError as error:
                self._health.trouble(PARTITIONS, f"{reason} ({type(error).__name__}); until then they are not read")
                return
            log.info("partitions added", topics=short)
            known |= short
        self._health.well(PARTITIONS)
        more = {name: number for name, number in known.items() if number > self._partitions.get(name, number)}
        self._partitions = known
        if more:
            log.info("more partitions are taken over", topics=more)
            await self._kafka.assign_anew()

    def _warn(self, found: Finding) -> None:
        if found.fix and self._warned.get(found.name) != found.fix:
            log.warning("worth a look", on=str(found))
        self._warned[found.name] = found.fix

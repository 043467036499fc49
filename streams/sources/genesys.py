"""This module opens the source that `GENESYS_SOURCE` names, and remembers where a part of it stopped.

A part's position and its gaps that are not healed yet stand as records on the `sources` topic, in the part's
own partition: whoever owns that partition next reads them and heals what was missed in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from aiokafka.errors import KafkaError

from clients.genesys.notifications.gap_healer import GapReport
from clients.genesys.notifications.source import NotificationSource
from clients.genesys.rest.client import GenesysRest
from clients.genesys.rest.observer import Observer
from clients.genesys.subscription import SubscriptionStream
from clients.genesys.topic_resolver import TopicResolver
from clients.kafka.cluster import describe
from processors.event.lines import SourceLine
from processors.genesys.topics.plan import MAX_CHANNELS
from settings import Settings
from streams.sources.checkpoints import Checkpoint, last_checkpoint, recent

log = structlog.get_logger(__name__)

Batches = AsyncGenerator[Sequence[SourceLine], None]


@dataclass(frozen=True, slots=True)
class OpenSource:
    """Batches of lines, and the checkpoint as of the batch last taken (None where a source has none).

    `settled` is to be called when Kafka has the batch last taken.
    """

    batches: Batches
    checkpoint: Callable[[], Checkpoint] | None = None
    settled: Callable[[], None] | None = None


class SharedClient:
    """One REST client for all parts that a worker reads: one token, one pace, open while a part uses it.

    So are the plan of topics and the names of queues: asked for once for all of them.
    """

    def __init__(self, settings: Settings, observer: Callable[[], Observer]) -> None:
        self._settings, self._observer = settings, observer
        self._open: tuple[GenesysRest, TopicResolver] | None = None
        self._users = 0

    @asynccontextmanager
    async def use(self) -> AsyncIterator[tuple[GenesysRest, TopicResolver]]:
        """The client and the resolver. Raises SettingsError without credentials."""
        if self._open is None:
            rest = GenesysRest.from_settings(self._settings, observer=self._observer())
            self._open = rest, TopicResolver(rest, self._settings)
        rest, resolver = self._open
        self._users += 1
        try:
            yield rest, resolver
        finally:
            self._users -= 1
            if not self._users:
                self._open = None
                await resolver.names.aclose()
                await rest.aclose()


class GenesysSource:
    """The source as the settings name it, whose checkpoints stand on `topic`."""

    def __init__(self, settings: Settings, topic: str, observer: Callable[[], Observer]) -> None:
        self._settings, self._topic = settings, topic
        self._shared = SharedClient(settings, observer)

    @asynccontextmanager
    async def open(self, part: int, on_gap: Callable[[GapReport], Awaitable[None]]) -> AsyncIterator[OpenSource]:
        """Open one part; waits while Kafka is silent. It and its batches raise GenesysError when Genesys refuses."""
        parts = await self._parts()
        checkpoint = await last_checkpoint(self._settings, self._topic, part)
        log.info("source starts", source=self._settings.genesys_source, part=part, position_ms=checkpoint.position_ms)
        async with self._shared.use() as (rest, resolver):
            if self._settings.genesys_source == "stream":
                yield OpenSource(SubscriptionStream.from_settings(rest, self._settings).batches())
                return
            source = NotificationSource(
                rest,
                self._settings,
                part,
                parts,
                on_gap,
                since_ms=checkpoint.position_ms,
                gaps=checkpoint.gaps,
                recent=lambda: recent(self._settings, checkpoint),
                resolver=resolver,
            )
            yield OpenSource(source.batches(), lambda: Checkpoint(source.resume_ms, source.unhealed))

    async def _parts(self) -> int:
        """In how many parts the source is read: one for each partition of the topic."""
        if self._settings.genesys_source != "notifications":
            return 1
        while True:
            try:
                found = (await describe(self._settings, touch=(self._topic,))).partitions
                return min(MAX_CHANNELS, found.get(self._topic, 1))
            except KafkaError as error:
                log.warning("the number of partitions is not known yet", topic=self._topic, error=type(error).__name__)
                await asyncio.sleep(1.0)

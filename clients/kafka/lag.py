"""This module asks Kafka how far the group is: of each partition its end, what is committed, and the oldest unread.

It asks beside the group, as no member of it: what no worker owns just now is told as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Collection

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, UnknownTopicOrPartitionError

from clients.kafka.configs import retention_ms
from clients.kafka.login import client_options
from clients.kafka.offset_fetch import do_fetch
from processors.metrics.lag import PartitionPosition
from settings import Settings

log = structlog.get_logger(__name__)

#: Seconds in which the brokers must answer.
PATIENCE_S = 5.0

#: Seconds between two questions for how long topics keep records.
RETENTION_S = 60.0

#: Seconds that the oldest records are waited for; those of a partition that does not answer stay unknown.
FETCH_S = 1.0


class LagReader:
    """Asks again and again, over the same connections; they are made when first asked."""

    def __init__(self, settings: Settings, topics: Collection[str]) -> None:
        self._settings, self._topics = settings, topics
        self._consumer: AIOKafkaConsumer | None = None
        self._oldest: dict[tuple[TopicPartition, int], int] = {}
        self._kept: dict[str, int | None] = {}
        self._seen: set[str] = set()  # topics that the brokers have told of
        self._kept_asked = -math.inf

    async def measure(self) -> list[PartitionPosition]:
        """Where the group is now. Raises KafkaError, OSError or TimeoutError when the brokers do not say so.

        A topic that nobody has told of yet is left out. One that was there, and is missing from what a broker tells of
        the topics (it has just started, or the right to describe it is gone), is not a topic without events.
        """
        async with asyncio.timeout(PATIENCE_S):
            consumer = await self._opened()
            known = {topic for topic in self._topics if consumer.partitions_for_topic(topic)}
            if lost := self._seen - known:
                await consumer._client.force_metadata_update()
                raise UnknownTopicOrPartitionError(", ".join(sorted(lost)))
            self._seen = known
            places = [
                TopicPartition(topic, partition)
                for topic in self._topics
                for partition in sorted(consumer.partitions_for_topic(topic) or ())
            ]
            if not places:
                return []
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            await consumer._coordinator.ensure_coordinator_known()
            found = await do_fetch(consumer._coordinator, places)
            committed = {place: max(begins[place], found[place].offset if place in found else 0) for place in places}
            await self._note_oldest(consumer, {place: at for place, at in committed.items() if at < ends[place]})
        await self._ask_retention()
        return [self._position(place, committed[place], ends[place]) for place in places]

    def _position(self, place: TopicPartition, committed: int, end: int) -> PartitionPosition:
        oldest, kept = self._oldest.get((place, committed)), self._kept.get(place.topic)
        return PartitionPosition(place.topic, place.partition, committed, end, oldest, kept)

    async def _ask_retention(self) -> None:
        """Ask now and then; what was known stays while the brokers do not say."""
        now = asyncio.get_running_loop().time()
        if now - self._kept_asked < RETENTION_S:
            return
        self._kept_asked = now
        try:
            async with asyncio.timeout(PATIENCE_S):
                self._kept |= await retention_ms(self._settings, self._topics)
        except (KafkaError, OSError) as error:  # OSError takes in the time-outs
            log.debug("Kafka does not answer for the retention of topics", error=repr(error))

    async def close(self) -> None:
        """Leave Kafka."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with contextlib.suppress(TimeoutError):  # brokers that are gone would be waited for
                async with asyncio.timeout(PATIENCE_S):
                    await consumer.stop()

    async def _opened(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **client_options(self._settings),
                group_id=self._settings.group,  # it never joins, as it subscribes to nothing
                enable_auto_commit=False,
            )
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        if not await self._consumer._client.set_topics(list(self._topics)):
            raise KafkaConnectionError("no broker tells of the topics")
        return self._consumer

    async def _note_oldest(self, consumer: AIOKafkaConsumer, behind: dict[TopicPartition, int]) -> None:
        """Read the first record of each partition that is behind, unless it is known from before."""
        self._oldest = {key: at for key, at in self._oldest.items() if behind.get(key[0]) == key[1]}
        unknown = {place: at for place, at in behind.items() if (place, at) not in self._oldest}
        if not unknown:
            return
        consumer.assign(list(unknown))
        for place, at in unknown.items():
            consumer.seek(place, at)
        ends, places = time.monotonic() + FETCH_S, list(unknown)
        while unknown and (left := ends - time.monotonic()) > 0:
            # One record at a time: of a megabyte each that was fetched, nothing else is looked at.
            found = await consumer.getmany(*unknown, timeout_ms=math.ceil(left * 1000), max_records=1)
            for place, records in found.items():
                self._oldest[place, unknown.pop(place)] = records[0].timestamp
        consumer.pause(*places)

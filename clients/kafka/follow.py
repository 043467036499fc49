"""This module reads one partition of a topic from its beginning and on, beside the group, as every worker does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from clients.kafka.cluster import why_refused
from clients.kafka.login import client_options
from settings import Settings

#: Milliseconds that the brokers may hold a fetch back while there is nothing; what comes is answered at once.
IDLE_MS = 5_000

#: Seconds after which a topic that cannot be read is tried again, and that a stop may take.
AGAIN_S, STOP_S = 2.0, 3.0


class Follower:
    """Gives `hear` each record's value in order; `begin` is called before the first, each time it begins anew.

    `caught_up` is told when everything that stood there at the beginning has been heard; `on_trouble` why the topic
    cannot be read, and None when it can.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        *,
        begin: Callable[[], None],
        hear: Callable[[bytes | None], None],
        caught_up: Callable[[], None],
        on_trouble: Callable[[str | None], None],
    ) -> None:
        self._settings, self._place = settings, TopicPartition(topic, 0)
        self._begin, self._hear, self._caught_up, self._on_trouble = begin, hear, caught_up, on_trouble

    async def run(self) -> None:
        """Follow until it is cancelled; what the brokers do not give is asked for again."""
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError, TimeoutError) as error:
                why = why_refused(error, "Describe and Read on it")
                self._on_trouble(f"{self._place.topic} cannot be read: {why}")
                await asyncio.sleep(AGAIN_S)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=IDLE_MS,
        )
        try:
            await consumer.start()
            await consumer._client.set_topics([self._place.topic])
            consumer.assign([self._place])
            await consumer.seek_to_beginning(self._place)
            await self._read(consumer)
        finally:
            with contextlib.suppress(TimeoutError):  # brokers that are gone would be waited for
                async with asyncio.timeout(STOP_S):
                    await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        end = (await consumer.end_offsets([self._place]))[self._place]
        self._begin()
        is_caught_up = False
        while True:
            if not is_caught_up and await consumer.position(self._place) >= end:
                is_caught_up = True
                self._caught_up()
                self._on_trouble(None)
            for records in (await consumer.getmany(timeout_ms=IDLE_MS)).values():
                for record in records:
                    self._hear(record.value)

"""This module asks brokers to change things: topics and their partitions, and whatever else needs an admin client."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import InvalidPartitionsError, KafkaError, TopicAlreadyExistsError, for_code

from clients.kafka.login import client_options
from settings import Settings

#: Milliseconds that a broker gets to answer what is asked once.
REQUEST_MS = 10_000


class NoControllerError(KafkaError):  # type: ignore[misc]
    """The brokers are choosing who changes topics: they know no controller just now."""

    retriable = True

    def __str__(self) -> str:
        return "the brokers have no controller just now"


class _Admin(AIOKafkaAdminClient):  # type: ignore[misc]
    async def _send_to_controller(self, request: Any) -> Any:
        """aiokafka reads the controller's id off None while there is no controller (aiokafka/admin/client.py)."""
        if self._client.cluster.controller is None:
            await self._client.force_metadata_update()
        if self._client.cluster.controller is None:
            raise NoControllerError
        return await super()._send_to_controller(request)


@asynccontextmanager
async def open_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that asks brokers to change things. Raises KafkaError."""
    admin = _Admin(**client_options(settings), request_timeout_ms=REQUEST_MS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def create_topic(settings: Settings, name: str, partitions: int, replicas: int, configs: dict[str, str]) -> None:
    """Create a topic; one that exists already (another worker was quicker) is fine. Raises KafkaError."""
    topic = NewTopic(name, num_partitions=partitions, replication_factor=replicas, topic_configs=configs)
    async with open_admin(settings) as admin:
        try:
            answer = await admin.create_topics([topic], timeout_ms=REQUEST_MS)
        except TopicAlreadyExistsError:
            return
    for _, code, *rest in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(rest[0] if rest and rest[0] else name)


async def add_partitions(settings: Settings, wanted: Mapping[str, int]) -> None:
    """Give topics so many partitions; who has them already (another worker was quicker) is fine. Raises KafkaError."""
    async with open_admin(settings) as admin:
        for topic, number in wanted.items():
            with contextlib.suppress(InvalidPartitionsError):
                await admin.create_partitions({topic: NewPartitions(number)}, timeout_ms=REQUEST_MS)

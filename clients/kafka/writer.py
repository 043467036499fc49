"""This module writes records that count only when the brokers have them, at a pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from clients.kafka import login
from clients.kafka.cluster import why_refused
from clients.kafka.configs import batch_bytes
from settings import Settings

#: Seconds in which the brokers must confirm records; an idempotent producer of aiokafka's would send again
#: for ever, and wait as long when it is stopped.
CONFIRM_S = 30.0
STOP_S = 5.0

#: Bytes of a request beside the largest message, as for the worker's producer.
REQUEST_ROOM = 48_576


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to write."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None


class Writer:
    """Made by `open_writer`."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def write(self, records: Sequence[Outgoing]) -> list[str | None]:
        """Send all and wait for the brokers: None for each record they have, else why they do not have it."""
        results: list[str | None] = [f"Kafka confirmed nothing for {CONFIRM_S:g} s"] * len(records)
        try:
            async with asyncio.timeout(CONFIRM_S):
                sent = [await self._send(one) for one in records]
                for index, one in enumerate(sent):
                    results[index] = one if isinstance(one, str) else await _confirmed(one, records[index])
        except TimeoutError:
            return results
        return results

    async def _send(self, one: Outgoing) -> asyncio.Future[object] | str:
        try:
            future: asyncio.Future[object] = await self._producer.send(
                one.topic, one.value, one.key, one.partition, headers=list(one.headers)
            )
        except KafkaError as error:  # refused before it was queued
            return _reason(one, error)
        return future


async def _confirmed(future: asyncio.Future[object], record: Outgoing) -> str | None:
    try:
        await asyncio.shield(future)
    except KafkaError as error:
        return _reason(record, error)
    return None


@asynccontextmanager
async def open_writer(settings: Settings, topics: Iterable[str] = ()) -> AsyncIterator[Writer]:
    """A producer for these topics that keeps the order of each key and writes nothing twice on its own.

    Raises KafkaError.
    """
    producer = AIOKafkaProducer(
        **login.client_options(settings),
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_batch_size=await batch_bytes(settings, topics),
        max_request_size=settings.kafka_max_message_bytes + REQUEST_ROOM,
        request_timeout_ms=int(CONFIRM_S * 1000),
    )
    try:
        await producer.start()
        yield Writer(producer)
    finally:
        with contextlib.suppress(TimeoutError):  # what is not confirmed by now has been reported
            async with asyncio.timeout(STOP_S):
                await producer.stop()


def _reason(record: Outgoing, error: KafkaError) -> str:
    if isinstance(error, MessageSizeTooLargeError):
        size = len(record.value or b"")
        return f"{record.topic} refuses {size} bytes: raise its max.message.bytes or KAFKA_MAX_MESSAGE_BYTES"
    why = why_refused(error, "Write on it, and IdempotentWrite on the cluster")
    return f"{record.topic} does not take records: {why}"

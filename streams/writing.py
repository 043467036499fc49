"""This module writes records that count only when the brokers have them, at a pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from streams import kafka
from streams.settings import Settings

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
    headers: tuple[tuple[str, bytes | None], ...]


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
                one.topic, one.value, one.key, headers=list(one.headers)
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
async def open_writer(settings: Settings) -> AsyncIterator[Writer]:
    """A producer that keeps the order of each key and writes nothing twice on its own. Raises KafkaError."""
    producer = AIOKafkaProducer(
        **kafka.client_options(settings),
        enable_idempotence=True,
        acks="all",
        linger_ms=5,
        max_batch_size=262_144,
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


class Pace:
    """Holds back so that no more than `rate` events a second go; None is as fast as they go."""

    def __init__(self, rate: float | None, stop: asyncio.Event) -> None:
        self._rate = rate
        self._stop = stop
        self._done = 0
        self._began: float | None = None

    def chunk(self, most: int) -> int:
        """How many events to take at a time, so that the pace is even within a second."""
        return most if self._rate is None else max(1, min(most, int(self._rate / 4)))

    async def after(self, number: int) -> None:
        """Wait until `number` more events may have gone, or until there is a reason to stop."""
        if self._rate is None:
            return
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        self._done += number
        wait_s = self._began + self._done / self._rate - now
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._stop.wait()
            except TimeoutError:
                return


def _reason(record: Outgoing, error: KafkaError) -> str:
    if isinstance(error, MessageSizeTooLargeError):
        size = len(record.value or b"")
        return f"{record.topic} refuses {size} bytes: raise its max.message.bytes or KAFKA_MAX_MESSAGE_BYTES"
    return f"{record.topic} does not take records: {type(error).__name__}"

"""This module sends to Kafka, and returns only when the broker has it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import faust.sensors
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    UnknownProducerId,
)
from faust import TopicT
from faust.exceptions import ProducerSendError

from processors.delivery.retry import outage_backoff
from streams.app import app
from streams.exit import die
from streams.health import health

#: Seconds without the brokers' answer after which Kafka is in trouble: aiokafka waits in silence, and for ever.
SLOW_S = 10.0

#: What the producer never gets over. A batch that was refused for good keeps its sequence numbers (aiokafka 0.14,
#: aiokafka/producer/sender.py), so that the brokers miss them from then on; only another producer begins anew.
BROKEN = (OutOfOrderSequenceNumber, UnknownProducerId, ProducerFenced)


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be sent: topic name, key, value, headers; the partition follows from the key unless it is given."""

    topic: str
    key: bytes | None
    value: bytes
    headers: dict[str, bytes] = field(default_factory=dict)
    partition: int | None = None


def record(topic: TopicT, key: str, value: bytes, headers: dict[str, str | bytes | None]) -> Record:
    """A record for one of our topics; headers without a value are left out."""
    encoded = {
        name: text.encode() if isinstance(text, str) else text for name, text in headers.items() if text is not None
    }
    return Record(topic.get_topic_name(), key.encode("utf-8", "replace"), value, encoded)


async def send(records: Iterable[Record]) -> None:
    """Send and return only when the broker has every one; while Kafka is away, wait and try again.

    Ends the process when its producer can write no more.
    """
    pending, attempt = list(records), 0
    producer = await app.maybe_start_producer()
    trouble = Trouble()
    try:
        while pending:
            results = await _attempt(producer, pending, trouble)
            refused = [(one, result) for one, result in zip(pending, results, strict=True) if result is not None]
            if not refused:
                return
            pending = [one for one, _ in refused]
            trouble.note(_reason(refused[0]))
            await asyncio.sleep(outage_backoff(attempt, random.random()))
            attempt += 1
    finally:
        trouble.over()


class Trouble:
    """What one call of `send` tells of Kafka, which is in trouble while any of them says so."""

    _all: ClassVar[dict[Trouble, str]] = {}

    def __init__(self) -> None:
        self._asked_at: float | None = None

    @contextmanager
    def asking(self, records: Sequence[Record]) -> Iterator[None]:
        """While it lasts, the brokers have not answered: trouble after SLOW_S."""
        self._asked_at = time.monotonic()
        slow = asyncio.get_running_loop().call_later(SLOW_S, lambda: self.note(_silence(records)))
        try:
            yield
        finally:
            slow.cancel()
            self._asked_at = None

    def note(self, reason: str) -> None:
        """Kafka does not take the records."""
        self._all[self] = reason
        health.trouble("kafka", reason)

    def over(self) -> None:
        """It has taken them, or nobody waits for it any more."""
        if self._all.pop(self, None) is None:
            return
        if self._all:
            health.trouble("kafka", next(iter(self._all.values())))
        else:
            health.well("kafka")

    @classmethod
    def seconds_silent(cls) -> float:
        """For how long the brokers have not answered at all, of the record that has waited longest."""
        asked = [one._asked_at for one in cls._all if one._asked_at is not None]
        return time.monotonic() - min(asked) if asked else 0.0


class Monitor(faust.sensors.Monitor):
    """Faust's, which hears of the tables' changelogs too: Faust itself only logs that a row was refused."""

    def on_send_error(self, producer: Any, exc: BaseException, state: Any) -> None:
        super().on_send_error(producer, exc, state)
        _end_if_broken(exc)


async def _attempt(producer: Any, records: Sequence[Record], trouble: Trouble) -> list[KafkaError | None]:
    with trouble.asking(records):
        results = await _send_once(producer, records)
    for error in results:
        _end_if_broken(error)
    return results


def _end_if_broken(error: BaseException | None) -> None:
    # A bare KafkaError is what the client fails with when its own task has ended.
    if error is not None and (isinstance(error, BROKEN) or type(error) is KafkaError):
        die("the producer", error)


async def _send_once(producer: Any, records: Sequence[Record]) -> list[KafkaError | None]:
    results: list[KafkaError | None] = []
    futures = []
    for one in records:
        try:
            futures.append(await producer.send(one.topic, one.key, one.value, one.partition, None, one.headers))
        except ProducerSendError as error:  # refused before it was queued; Faust wraps the reason
            if not isinstance(error.__cause__, KafkaError):
                raise
            futures.append(error.__cause__)
    for future in futures:
        try:
            results.append(future if isinstance(future, KafkaError) else (await future, None)[1])
        except KafkaError as error:
            results.append(error)
    return results


def _silence(records: Sequence[Record]) -> str:
    names = ", ".join(sorted({one.topic for one in records}))
    return f"no answer for {SLOW_S:.0f} s from the brokers of {names}"


def _reason(refused: tuple[Record, KafkaError]) -> str:
    one, error = refused
    if isinstance(error, MessageSizeTooLargeError):
        return f"{one.topic} refuses {len(one.value)} bytes: raise max.message.bytes or lower KAFKA_MAX_MESSAGE_BYTES"
    return f"{one.topic} does not take events: {type(error).__name__}"

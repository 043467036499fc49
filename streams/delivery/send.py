"""This module sends to Kafka, and returns only when the broker has it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, cast

import faust.sensors
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    NotEnoughReplicasAfterAppendError,
    NotEnoughReplicasError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TopicAuthorizationFailedError,
    UnknownProducerId,
)

from processors.delivery.retry import outage_backoff
from streams.delivery.record import Record
from streams.exit import die
from streams.health import Health

#: Seconds without the brokers' answer after which Kafka is in trouble: aiokafka waits in silence, and for ever.
SLOW_S = 10.0

#: What an operator does about a refusal, where its name does not say so.
FIXES: dict[type[KafkaError], str] = {
    TopicAuthorizationFailedError: "allow Write on it",
    ClusterAuthorizationFailedError: "allow IdempotentWrite on the cluster",
    NotEnoughReplicasError: "fewer replicas are in sync than min.insync.replicas: look at the brokers",
    NotEnoughReplicasAfterAppendError: "fewer replicas are in sync than min.insync.replicas: look at the brokers",
}

#: What the producer never gets over. A batch that was refused for good keeps its sequence numbers (aiokafka 0.14,
#: aiokafka/producer/sender.py), so that the brokers miss them from then on; only another producer begins anew.
BROKEN = (OutOfOrderSequenceNumber, UnknownProducerId, ProducerFenced)


class Producer(Protocol):
    """What sends records once."""

    async def send(self, records: Sequence[Record]) -> list[KafkaError | None]:
        """For each record why the brokers do not have it, None when they do."""


class Sender:
    """Sends until the brokers have it, and tells health of Kafka, which is in trouble while any send says so.

    `start_producer` gives what sends, and starts it when it is first asked for.
    """

    def __init__(
        self,
        start_producer: Callable[[], Awaitable[Producer]],
        health: Health,
        *,
        slow_s: float = SLOW_S,
        backoff: Callable[[int, float], float] = outage_backoff,
        clock: Callable[[], float] = time.monotonic,
        die: Callable[[str, BaseException], Any] = die,
    ) -> None:
        self._start_producer = start_producer
        self._health = health
        self._slow_s, self._backoff, self._clock, self._die = slow_s, backoff, clock, die
        self._asked_at: dict[object, float] = {}  # call of `send` → since when the brokers have not answered it
        self._troubles: dict[object, str] = {}  # call of `send` → why Kafka does not take its records

    async def send(self, records: Iterable[Record]) -> None:
        """Send and return only when the broker has every one; while Kafka is unreachable, wait and try again.

        Ends the process when its producer can write no more.
        """
        pending, attempt, call = list(records), 0, object()
        if not pending:
            return
        producer = await self._start_producer()
        try:
            while pending:
                results = await self._attempt(producer, pending, call)
                refused = [(one, result) for one, result in zip(pending, results, strict=True) if result is not None]
                if not refused:
                    return
                pending = [one for one, _ in refused]
                self._note(call, _reason(refused[0]))
                await asyncio.sleep(self._backoff(attempt, random.random()))
                attempt += 1
        finally:
            self._over(call)

    def seconds_silent(self) -> float:
        """For how long the brokers have not answered at all, of the record that has waited longest."""
        asked = [asked_at for call, asked_at in self._asked_at.items() if call in self._troubles]
        return self._clock() - min(asked) if asked else 0.0

    async def _attempt(self, producer: Producer, records: Sequence[Record], call: object) -> list[KafkaError | None]:
        with self._asking(records, call):
            results = await producer.send(records)
        for error in results:
            if is_broken(error):
                self._die("the producer", cast(BaseException, error))
        return results

    @contextmanager
    def _asking(self, records: Sequence[Record], call: object) -> Iterator[None]:
        """While it lasts, the brokers have not answered: trouble after some seconds, as aiokafka waits in silence."""
        self._asked_at[call] = self._clock()
        loop = asyncio.get_running_loop()
        slow = loop.call_later(self._slow_s, lambda: self._note(call, self._silence(records)))
        try:
            yield
        finally:
            slow.cancel()
            del self._asked_at[call]

    def _note(self, call: object, reason: str) -> None:
        self._troubles[call] = reason
        self._health.trouble("kafka", reason)

    def _over(self, call: object) -> None:
        """Kafka has taken the records, or nobody waits for it any more."""
        if self._troubles.pop(call, None) is None:
            return
        if self._troubles:
            self._health.trouble("kafka", next(iter(self._troubles.values())))
        else:
            self._health.healthy("kafka")

    def _silence(self, records: Sequence[Record]) -> str:
        names = ", ".join(sorted({one.topic for one in records}))
        return f"no answer for {self._slow_s:.0f} s from the brokers of {names}"


class Monitor(faust.sensors.Monitor):
    """Faust's, which hears of the tables' changelogs too: Faust itself only logs that a row was refused."""

    die = staticmethod(die)

    def on_send_error(self, producer: Any, exc: BaseException, state: Any) -> None:
        super().on_send_error(producer, exc, state)
        if is_broken(exc):
            self.die("the producer", exc)


def is_broken(error: BaseException | None) -> bool:
    """Whether the producer that met this error can write no more."""
    # A bare KafkaError is what the client fails with when its own task has ended.
    return error is not None and (isinstance(error, BROKEN) or type(error) is KafkaError)


def _reason(refused: tuple[Record, KafkaError]) -> str:
    one, error = refused
    if isinstance(error, MessageSizeTooLargeError):
        return f"{one.topic} refuses {len(one.value)} bytes: raise max.message.bytes or lower KAFKA_MAX_MESSAGE_BYTES"
    fix = FIXES.get(type(error))
    return f"{one.topic} does not take events: {type(error).__name__}{f' ({fix})' if fix else ''}"

"""This module writes records to Kafka packed by partition: one future and one turn of a queue for a batch.

Through `send` of Faust's and aiokafka's producers each record costs a future, a hash in Python and a wait in line;
packed, a fifth of that. Idempotence, order within a partition and retries stay the producer's
(aiokafka/producer/sender.py): a batch gets its sequence numbers when it is sent, like one that was filled record by
record.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from struct import unpack_from
from typing import Any

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from streams.delivery.record import Record
from streams.faust_patches.new_partitions import know

#: Keys whose hash is remembered: the events of an interaction have the same.
HASHES = 65_536

#: An answer to a record: None when the brokers have it, else why not.
BrokerAnswers = list[KafkaError | None]


@dataclass(slots=True)
class _Pack:
    """A batch of one partition, and the places of its records."""

    topic: str
    partition: int
    builder: Any
    places: list[int] = field(default_factory=list)


class PackedProducer:
    """Sends records of at most `max_bytes` by aiokafka's producer, which somebody else starts and stops."""

    def __init__(self, kafka: Any, max_bytes: int) -> None:
        self._kafka, self._max_bytes = kafka, max_bytes

    async def send(self, records: Sequence[Record]) -> BrokerAnswers:
        """Send each once and wait for the brokers; order holds within a partition, of records with an answer alike."""
        answers: BrokerAnswers = [None] * len(records)
        waiting: list[tuple[_Pack, Awaitable[Any]]] = []
        for pack in await self._packed(records, answers):
            try:
                waiting.append((pack, await self._kafka.send_batch(pack.builder, pack.topic, partition=pack.partition)))
            except KafkaError as error:  # refused before it was queued
                _answer(answers, pack.places, error)
        for pack, future in waiting:
            try:
                await future
            except KafkaError as error:
                _answer(answers, pack.places, error)
        return answers

    async def _packed(self, records: Sequence[Record], answers: BrokerAnswers) -> list[_Pack]:
        """Batches that hold the records, in order; what cannot be sent is answered."""
        packs: list[_Pack] = []
        latest: dict[tuple[str, int], _Pack] = {}
        known = {topic: await self._partitions(topic, records) for topic in {one.topic for one in records}}
        now = int(time.time() * 1000)
        for place, one in enumerate(records):
            partitions = known[one.topic]
            if isinstance(partitions, KafkaError) or one.size > self._max_bytes:
                error = partitions if isinstance(partitions, KafkaError) else MessageSizeTooLargeError()
                _answer(answers, [place], error)
                continue
            at = one.topic, self._partition(one, partitions)
            pack = latest.get(at)
            if pack is None or not _append(pack, one, now):
                pack = latest[at] = _Pack(*at, self._kafka.create_batch())
                packs.append(pack)
                _append(pack, one, now)  # the first of a batch fits whatever its size
            pack.places.append(place)
        for pack in packs:
            pack.builder.close()  # then it waits for no more
        return packs

    async def _partitions(self, topic: str, records: Iterable[Record]) -> list[int] | KafkaError:
        """Those of the topic, with each that a record is meant for."""
        try:
            for wanted in {one.partition for one in records if one.topic == topic and one.partition is not None}:
                await know(self._kafka.client, topic, wanted)
            return sorted(await self._kafka.client._wait_on_metadata(topic))
        except KafkaError as error:
            return error

    def _partition(self, one: Record, partitions: Sequence[int]) -> int:
        """As Kafka's own clients choose it."""
        if one.partition is not None:
            return one.partition
        if one.key is None:
            led: Iterable[int] | None = self._kafka.client.cluster.available_partitions_for_topic(one.topic)
            return random.choice(list(led or partitions))
        return partitions[partition_of(one.key, len(partitions))]


def _append(pack: _Pack, one: Record, now: int) -> bool:
    headers = list(one.headers.items())
    return pack.builder.append(timestamp=now, key=one.key, value=one.value, headers=headers) is not None


def _answer(answers: BrokerAnswers, places: Iterable[int], error: KafkaError) -> None:
    for place in places:
        answers[place] = error


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that a key belongs to, as Kafka's own clients choose it."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


@lru_cache(HASHES)
def murmur2(data: bytes) -> int:
    """The hash of `data` as Kafka's clients take it (org.apache.kafka.common.utils.Utils.murmur2), without its sign."""
    length = len(data)
    whole = length & ~3
    found = 0x9747B28C ^ length
    for word in unpack_from(f"<{length >> 2}I", data):
        mixed = word * _M & _MASK
        found = (found * _M & _MASK) ^ ((mixed ^ mixed >> 24) * _M & _MASK)
    if length > whole:
        found = (found ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    found = (found ^ found >> 13) * _M & _MASK
    return found ^ found >> 15


_M, _MASK = 0x5BD1E995, 0xFFFFFFFF

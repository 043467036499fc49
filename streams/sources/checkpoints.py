"""This module reads how far a part of the source was read, and what it told last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from clients.kafka.cluster import describe
from clients.kafka.login import client_options
from processors.genesys.interval import Interval
from settings import Settings

log = structlog.get_logger(__name__)


#: How long before a part's position events are looked up that need not go on again, and at most how many.
RECENT_MS = 300_000

RECENT_EVENTS = 20_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a part is: every event before `position_ms` (epoch ms) is in Kafka, but for those in `gaps`."""

    position_ms: int | None = None
    gaps: tuple[Interval, ...] = ()

    def encode(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def decode(cls, value: bytes | None) -> Checkpoint:
        """Read a checkpoint; what is none (anybody may write to the topic) counts as a fresh start."""
        try:
            content = orjson.loads(value or b"")
            position = content["position_ms"]
            gaps = tuple(Interval(int(gap["start_ms"]), int(gap["end_ms"])) for gap in content["gaps"])
            return cls(int(position) if position is not None else None, gaps)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            log.warning("a record on the sources topic is no checkpoint and is left")
            return cls()


async def last_checkpoint(settings: Settings, topic: str, part: int) -> Checkpoint:
    """The newest checkpoint of a part; waits while Kafka does not answer."""
    while True:
        try:
            return await _read_last(settings, TopicPartition(topic, part))
        except KafkaError as error:
            log.warning("the checkpoint cannot be read yet", part=part, error=type(error).__name__)
            await asyncio.sleep(1.0)


async def recent(settings: Settings, checkpoint: Checkpoint) -> AsyncGenerator[tuple[bytes, int], None]:
    """What stands in `raw`, with its time (epoch ms), since shortly before the checkpoint.

    Without it the new owner of a part would send on once more what the old one sent. A broker that cannot
    look up by time (the embedded one), or none that answers, costs repetitions and nothing else.
    """
    moments = [gap.start_ms for gap in checkpoint.gaps]
    if checkpoint.position_ms is not None:
        moments.append(checkpoint.position_ms)
    if not moments:
        return
    raw = settings.topic("raw")
    try:
        known = (await describe(settings)).partitions.get(raw, 0)
        partitions = [TopicPartition(raw, number) for number in range(known)]
        async with _consumer(settings) as consumer:
            bounds = await _since(consumer, partitions, min(moments) - RECENT_MS)
            async with aclosing(_records(consumer, bounds)) as records:
                async for record in records:
                    if record.value is not None:
                        yield record.value, record.timestamp
    except KafkaError as error:
        log.warning("what was sent lately is not known", error=type(error).__name__)


async def _since(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], since_ms: int
) -> dict[TopicPartition, tuple[int, int]]:
    """First offset of that time and end of each partition that has such records; the newest of too many."""
    if not partitions:
        return {}
    starts = await consumer.offsets_for_times(dict.fromkeys(partitions, since_ms))
    ends = await consumer.end_offsets(partitions)
    most = RECENT_EVENTS // len(partitions)
    return {
        partition: (max(start.offset, ends[partition] - most), ends[partition])
        for partition, start in starts.items()
        if start is not None
    }


async def _read_last(settings: Settings, partition: TopicPartition) -> Checkpoint:
    found = Checkpoint()
    async with _consumer(settings) as consumer:
        begin = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        async for record in _records(consumer, {partition: (begin, end)}):
            found = Checkpoint.decode(record.value)
    return found


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer outside every group."""
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, fetch_max_wait_ms=100)
    try:
        await consumer.start()
        await asyncio.sleep(0)  # stop() raises CancelledError when the consumer's own tasks have not begun
        yield consumer
    finally:
        await consumer.stop()


async def _records(
    consumer: AIOKafkaConsumer, bounds: Mapping[TopicPartition, tuple[int, int]]
) -> AsyncGenerator[ConsumerRecord, None]:
    """What stands from each first offset to before each end."""
    if not bounds:
        return
    consumer.assign(list(bounds))
    for partition, (first, _) in bounds.items():
        consumer.seek(partition, first)
    while any([await consumer.position(partition) < end for partition, (_, end) in bounds.items()]):
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                yield record

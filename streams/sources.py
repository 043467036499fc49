"""This module opens the source that `GENESYS_SOURCE` names, and remembers where a part of it stopped.

A part's position and its gaps that are not healed yet stand as records on the `sources` topic, in the part's
own partition: whoever owns that partition next reads them and heals what was missed in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from clients.genesys.gaps import GapReport
from clients.genesys.notifications import NotificationSource
from clients.genesys.observer import Observer
from clients.genesys.rest import GenesysRest
from clients.genesys.stream import SubscriptionStream
from processors.conversation import Interval
from processors.lines import Line
from streams.kafka import client_options
from streams.settings import Settings

log = structlog.get_logger(__name__)

Batches = AsyncGenerator[list[Line], None]

READ_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where one part stands: every event before `position_ms` (epoch ms) is in Kafka, but for those in `gaps`."""

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


@dataclass(frozen=True, slots=True)
class OpenSource:
    """Batches of lines, and the checkpoint as of the batch last taken (None where a source has none)."""

    batches: Batches
    checkpoint: Callable[[], Checkpoint] | None = None


def parts(settings: Settings) -> int:
    """In how many parts the source is read, each by one worker at a time."""
    return settings.genesys_shards if settings.genesys_source == "notifications" else 1


@asynccontextmanager
async def open_source(
    settings: Settings,
    part: int,
    observer: Observer,
    checkpoint: Checkpoint,
    on_gap: Callable[[GapReport], Awaitable[None]],
) -> AsyncIterator[OpenSource]:
    """Open one part of the source. Raises SettingsError without credentials, GenesysError when Genesys refuses for good."""
    settings.require_genesys()
    async with GenesysRest.from_settings(settings, observer=observer) as rest:
        if settings.genesys_source == "stream":
            yield OpenSource(SubscriptionStream.from_settings(rest, settings).batches())
            return
        source = NotificationSource(
            rest,
            settings,
            part,
            parts(settings),
            on_gap,
            since_ms=checkpoint.position_ms,
            gaps=checkpoint.gaps,
        )
        yield OpenSource(source.batches(), lambda: Checkpoint(source.position_ms, source.unhealed))


async def last_checkpoint(settings: Settings, topic: str, part: int) -> Checkpoint:
    """The newest checkpoint of a part; waits while Kafka does not answer."""
    while True:
        try:
            return await _read_last(settings, TopicPartition(topic, part))
        except KafkaError as error:
            log.warning("the checkpoint cannot be read yet", part=part, error=type(error).__name__)
            await asyncio.sleep(1.0)


async def _read_last(settings: Settings, partition: TopicPartition) -> Checkpoint:
    found = Checkpoint()
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False, fetch_max_wait_ms=100)
    try:
        await consumer.start()
        consumer.assign([partition])
        begin = (await consumer.beginning_offsets([partition]))[partition]
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, begin)
        while await consumer.position(partition) < end:
            for record in (await consumer.getmany(timeout_ms=1000)).get(partition, []):
                found = Checkpoint.decode(record.value)
        return found
    finally:
        await consumer.stop()

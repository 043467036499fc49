"""This module reads how far a part of the source was read, and what it brought last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass

import orjson
import structlog

from clients.kafka.range_reader import Reader, open_reader, partition_counts
from clients.kafka.ranges import RangeBounds, RangeError
from processors.genesys.interval import Interval
from processors.replay.selection import Span
from settings import Settings

log = structlog.get_logger(__name__)


#: How long before a part's position events are looked up that need not go on again, and at most how many.
RECENT_MS = 300_000

RECENT_EVENTS = 20_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a part is: every event before `position_ms` (epoch ms) is surely in Kafka, but for those in `gaps`.

    What came since the last look at the subscriptions is there as well, but what did not come is not known.
    """

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
            return await _read_last(settings, topic, part)
        except RangeError as error:
            log.warning("the checkpoint cannot be read yet", part=part, error=str(error))
            await asyncio.sleep(1.0)


async def recent(settings: Settings, checkpoint: Checkpoint) -> AsyncGenerator[tuple[bytes, int], None]:
    """What stands in `raw`, with its time (epoch ms), since shortly before the checkpoint; the newest of too many.

    Without it the new owner of a part would send on once more what the old one sent. Brokers that do not answer
    cost repetitions and nothing else.
    """
    moments = [gap.start_ms for gap in checkpoint.gaps]
    if checkpoint.position_ms is not None:
        moments.append(checkpoint.position_ms)
    if not moments:
        return
    span = Span(since=max(0, min(moments) - RECENT_MS))
    try:
        async with _reader(settings, settings.topic("raw")) as reader, aclosing(_newest(reader, span)) as events:
            async for event in events:
                yield event
    except RangeError as error:
        log.warning("what was sent lately is not known", error=str(error))


async def _newest(reader: Reader, span: Span) -> AsyncGenerator[tuple[bytes, int], None]:
    bounds = await reader.range(RangeBounds(span), RECENT_EVENTS // reader.partitions)
    async with aclosing(reader.chunks(bounds)) as chunks:
        async for chunk in chunks:
            events = [(one.value, one.timestamp) for one in chunk if one.value is not None and one.timestamp in span]
            for event in events:
                yield event


async def _read_last(settings: Settings, topic: str, part: int) -> Checkpoint:
    found = Checkpoint()
    async with _reader(settings, topic) as reader:
        async for chunk in reader.chunks(await reader.range(RangeBounds(partitions=(part,)))):
            found = Checkpoint.decode(chunk[-1].value)
    return found


@asynccontextmanager
async def _reader(settings: Settings, topic: str) -> AsyncIterator[Reader]:
    async with open_reader(settings, topic, await partition_counts(settings, touch=(topic,))) as reader:
        yield reader

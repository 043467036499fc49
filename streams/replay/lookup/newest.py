"""This module looks up events of `raw`: the newest ones, those of one key, or the one at a place."""

from __future__ import annotations

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeBounds
from processors.event import headers
from processors.event.errors import MalformedEventError
from processors.event.identity import event_of_bytes
from settings import Settings
from streams.delivery.packed_producer import partition_of
from streams.replay.lookup.backwards import WAIT_MS, BackwardLook, Budget

#: Records that are looked through at most for those of one key, and seconds.
MAX_READ, MAX_SECONDS = 50_000, 8.0


def event_id_of(record: ConsumerRecord) -> str | None:
    """The id of an event of `raw`: as its header says, else the one that the process stage gives it.

    None for what is no event.
    """
    given = headers.read(dict(record.headers)).event_id
    if given is not None:
        return given
    try:
        return event_of_bytes(record.value).event_id
    except MalformedEventError:
        return None


async def newest(settings: Settings, limit: int, key: str | None = None) -> list[ConsumerRecord]:
    """The newest events of `raw`, newest first. Raises RangeError."""
    name = settings.topic("raw")
    known = await partition_counts(settings)
    async with open_reader(settings, name, known, wait_ms=WAIT_MS) as reader:
        wanted = key.encode() if key is not None else None
        partitions = () if wanted is None else (partition_of(wanted, reader.partitions),)
        look = BackwardLook(reader, RangeBounds(partitions=partitions), Budget.of(MAX_READ, MAX_SECONDS))
        look.slice_size = max(limit, look.slice_size)
        found: list[ConsumerRecord] = []
        async for part in look.slices(lambda record: record.value is not None and wanted in (None, record.key)):
            found += part
            if len(found) >= limit:
                break
    return found[:limit]


async def at(settings: Settings, partition: int, offset: int) -> ConsumerRecord | None:
    """The event of `raw` at a place; None when the topic does not hold it any more. Raises RangeError."""
    async with open_reader(settings, settings.topic("raw"), await partition_counts(settings)) as reader:
        return await reader.one(partition, offset)

"""This module reads a range of a topic outside every consumer group, so that nobody's offsets move.

The end of a range is fixed when it is opened: what is written to the topic meanwhile is not read, and so a
replay of a topic into itself ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from clients.kafka import cluster, login
from clients.kafka.ranges import MissingRange, Range, RangeBounds, RangeError, missing_ranges
from settings import Settings

#: Records read at a time.
CHUNK = 500

#: Seconds in which brokers must answer, and a partition that has records must give one.
PATIENCE_S = 15.0

#: Seconds that a consumer gets to say good-bye.
STOP_S = 5.0

FETCH_BYTES = 2 * 1024 * 1024

#: Milliseconds that a broker waits for more, unless it is asked otherwise.
WAIT_MS = 500


class Reader:
    """One topic, read by assignment and seeks. Made by `open_reader`."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, partitions: int) -> None:
        self._consumer = consumer
        self.topic = topic
        self.partitions = partitions

    async def range(self, bounds: RangeBounds, newest: int | None = None) -> Range:
        """Fix the range now: of each partition what the bounds mean, or the `newest` so many offsets of it.

        Raises RangeError for a partition that is not there.
        """
        wanted = self._wanted(bounds)
        places = [TopicPartition(self.topic, partition) for partition in wanted]
        begins = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        since = await self._since(bounds.span.since, begins, ends)
        first, end, missing = {}, {}, list[MissingRange]()
        for place in places:
            given_first, given_end = bounds.first.of(place.partition), bounds.end.of(place.partition)
            last = min(ends[place], ends[place] if given_end is None else given_end)
            lower = max(begins[place], since.get(place, 0), given_first or 0, last - newest if newest else 0)
            first[place.partition], end[place.partition] = min(lower, last), last
            missing += missing_ranges(place, begins[place], ends[place], given_first, given_end)
        return Range(self.topic, first, end, missing)

    async def chunks(self, what: Range, size: int = CHUNK) -> AsyncGenerator[list[ConsumerRecord], None]:
        """The records of the range, each chunk of one partition, in order; moves `what.next` past each chunk
        when the caller comes for the one after it: until then the chunk counts as not read.

        Raises RangeError when the brokers give nothing for 15 s although there is something left, or go back to what
        was read: a broker that leads the partition no more has its log end too early, and aiokafka begins anew then.
        """
        self._assign(what)
        while what.open:
            found = await self._fetch(what, size)
            for place, records in found.items():
                _see_order(what, place, records[0].offset)
                await self._see_deleted(what, place, records[0].offset)
                chunk = [record for record in records if record.offset < what.end[place.partition]]
                if chunk:
                    yield chunk
                    what.next[place.partition] = chunk[-1].offset + 1
            for place in list(self._consumer.assignment()):
                at = await self._consumer.position(place)
                _see_order(what, place, at)
                what.next[place.partition] = min(at, what.end[place.partition])
                if at >= what.end[place.partition] and place not in self._consumer.paused():
                    self._consumer.pause(place)

    async def _see_deleted(self, what: Range, place: TopicPartition, found: int) -> None:
        """Note what retention deleted while the range was read; offsets may also be passed that hold no records."""
        due = what.next[place.partition]
        if found > due:
            begins = (await self._consumer.beginning_offsets([place]))[place]
            if begins > due:
                last = min(begins, found, what.end[place.partition])
                what.missing.append(MissingRange(what.topic, place.partition, due, last, expired=True))

    async def ends(self, partition: int) -> tuple[int, int]:
        """The first offset that a partition has, and the one that it will write next."""
        place = TopicPartition(self.topic, partition)
        begins = await self._consumer.beginning_offsets([place])
        return begins[place], (await self._consumer.end_offsets([place]))[place]

    async def one(self, partition: int, offset: int) -> ConsumerRecord | None:
        """The record at an offset; None when the topic does not have it any more."""
        if partition >= self.partitions:
            return None
        place = TopicPartition(self.topic, partition)
        begin, end = await self.ends(partition)
        if not begin <= offset < end:
            return None
        self._consumer.assign([place])
        self._consumer.seek(place, offset)
        try:
            async with asyncio.timeout(PATIENCE_S):
                record = await self._consumer.getone(place)
        except TimeoutError:
            return None
        return record if record.offset == offset else None

    def _wanted(self, bounds: RangeBounds) -> list[int]:
        by_offset = bounds.first.partitions | bounds.end.partitions
        for partition in sorted({*bounds.partitions, *by_offset}):
            if partition >= self.partitions:
                last = self.partitions - 1
                raise RangeError(f"{self.topic} has no partition {partition}: it has those from 0 to {last}")
        everywhere = None in dict(bounds.first.by_partition) or None in dict(bounds.end.by_partition)
        named = bounds.partitions or (() if everywhere else by_offset)
        return sorted(set(named)) or list(range(self.partitions))

    async def _since(
        self,
        since: int | None,
        begins: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        """Where each partition has its first record of that moment or later.

        Brokers that cannot look up by time (the embedded one) find nothing even at the beginning of time:
        there the partition is read from its beginning, and the records' own timestamps decide.
        """
        filled = [place for place in begins if begins[place] < ends[place]]
        if since is None or not filled:
            return {}
        earliest = await self._consumer.offsets_for_times(dict.fromkeys(filled, 0))
        found = await self._consumer.offsets_for_times(dict.fromkeys(filled, since))
        result = {}
        for place in filled:
            if found.get(place) is not None:
                result[place] = found[place].offset
            elif earliest.get(place) is not None:
                result[place] = ends[place]
        return result

    def _assign(self, what: Range) -> None:
        self._consumer.assign([TopicPartition(what.topic, partition) for partition in what.open])
        for partition in what.open:
            self._consumer.seek(TopicPartition(what.topic, partition), what.next[partition])

    async def _fetch(self, what: Range, size: int) -> Mapping[TopicPartition, list[ConsumerRecord]]:
        """One fetch with something in it, or one that moved past offsets without records."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + PATIENCE_S
        while True:
            found: Mapping[TopicPartition, list[ConsumerRecord]] = await self._consumer.getmany(
                timeout_ms=500, max_records=size
            )
            if found:
                return found
            for partition in what.open:
                if await self._consumer.position(TopicPartition(what.topic, partition)) > what.next[partition]:
                    return found
            if loop.time() > ends:
                where = ", ".join(f"{partition}:{what.next[partition]}" for partition in what.open)
                raise RangeError(f"Kafka gave nothing of {what.topic} for {PATIENCE_S:g} s (at {where})")


def _see_order(what: Range, place: TopicPartition, found: int) -> None:
    if found < (due := what.next[place.partition]):
        where = f"{what.topic}, partition {place.partition}"
        raise RangeError(f"Kafka went back from offset {due} to {found} of {where} (run it again when all brokers run)")


async def partition_counts(settings: Settings, touch: Iterable[str] = ()) -> Mapping[str, int]:
    """Every topic with its number of partitions. Raises RangeError when no broker answers in time."""
    where = settings.kafka_bootstrap_servers
    try:
        async with asyncio.timeout(PATIENCE_S):
            return (await cluster.describe(settings, touch)).partitions
    except TimeoutError:
        reason = f"no answer within {PATIENCE_S:g} s"
    except (KafkaError, OSError) as error:
        reason = type(error).__name__
    raise RangeError(f"no Kafka broker answers at {where}: {reason} (start Kafka, or fix KAFKA_BOOTSTRAP_SERVERS)")


@asynccontextmanager
async def open_reader(
    settings: Settings, topic: str, known: Mapping[str, int], *, wait_ms: int = WAIT_MS
) -> AsyncIterator[Reader]:
    """A reader of `topic`; `known` as `partition_counts` gives it. Raises RangeError when there is no such topic.

    `wait_ms`: for how long a broker that has nothing more holds a request back; who reads piece by piece waits so long
    for each piece that ends where the topic does.
    """
    if topic not in known:
        ours = [name for name in sorted(known) if name.startswith(settings.kafka_topic_prefix)]
        there = f"there are {', '.join(ours)}" if ours else "start a worker once, or fix KAFKA_TOPIC_PREFIX"
        raise RangeError(f"there is no topic {topic}; {there}")
    consumer = AIOKafkaConsumer(
        **login.client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",  # what a producer took back is no event
        auto_offset_reset="earliest",  # what retention deletes while it is read is gone; the rest is not
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=wait_ms,
    )
    try:
        await consumer.start()
        await asyncio.sleep(0)  # aiokafka's stop() raises CancelledError for a task not begun
        yield Reader(consumer, topic, known[topic])
    except KafkaError as error:
        why = cluster.why_refused(error, "Describe and Read on it, Describe on the group")
        raise RangeError(f"Kafka refuses {topic}: {error}: {why}") from error
    finally:
        with contextlib.suppress(TimeoutError):  # brokers that are gone would be waited for
            async with asyncio.timeout(STOP_S):
                await consumer.stop()

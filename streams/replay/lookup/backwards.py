"""This module reads a topic from its end backwards, slice by slice: who looks something up wants the newest first.

It is bounded in records and time, and gives the worker's event loop a breath after each chunk: looking something up
must not hold up what the worker is there for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import Reader
from clients.kafka.ranges import Range, RangeBounds
from processors.replay.selection import Span

#: Offsets of each partition in the first slice; each is so many times as large as the one before, up to a most.
SLICE, GROWTH, MAX_SLICE = 50, 4, 2_000

#: Milliseconds that a broker may wait for more where the topic ends (clients/kafka/range_reader.py).
WAIT_MS = 10

#: Seconds of rest after each chunk.
BREATH_S = 0.002


@dataclass(slots=True)
class Budget:
    """How much may still be read: `records` in all, until `ends_s` on the loop's clock."""

    records: int
    ends_s: float

    @classmethod
    def of(cls, records: int, seconds: float) -> Budget:
        return cls(records, asyncio.get_running_loop().time() + seconds)

    @property
    def is_spent(self) -> bool:
        return self.records <= 0 or self.is_over

    @property
    def is_over(self) -> bool:
        """Whether its time has ended."""
        return asyncio.get_running_loop().time() >= self.ends_s


#: Bytes of records that are held of a slice: who looks something up must not fill the worker.
MAX_SLICE_BYTES = 32 * 1024 * 1024

Keep = Callable[[ConsumerRecord], bool]


@dataclass(slots=True)
class BackwardLook:
    """One look back over a topic. `read`: records so far; `since_ms`: every record from then on has been read.

    `complete`: the range was read to its beginning; else the budget was spent before. `kept_ms`: when the oldest
    record was written that there is, where Kafka has deleted others of the range.
    """

    reader: Reader
    bounds: RangeBounds
    budget: Budget
    slice_size: int = SLICE
    max_bytes: int = MAX_SLICE_BYTES
    read: int = 0
    since_ms: int | None = None
    complete: bool = False
    kept_ms: int | None = None

    async def slices(self, keep: Keep = lambda record: True) -> AsyncGenerator[list[ConsumerRecord], None]:
        """The records of the range that are to be kept, each slice newest first. Raises RangeError."""
        what = await self.reader.range(self.bounds)
        begins = (await self.reader.range(RangeBounds(partitions=tuple(what.next)))).next
        first, top, size = dict(what.next), await self._ends(what, begins), self.slice_size
        while left := [partition for partition, end in top.items() if end > first[partition]]:
            if self.budget.is_spent:
                return
            lower = {partition: max(first[partition], top[partition] - size) for partition in left}
            size = min(size * GROWTH, max(MAX_SLICE, self.slice_size))
            part = Range(self.reader.topic, dict(lower), {one: top[one] for one in left})
            found, oldest = await self._slice(part, keep)
            top = lower
            for partition, at_ms in oldest.items():
                if first[partition] == begins[partition] == lower[partition] > 0:
                    self.kept_ms = max(at_ms, self.kept_ms or 0)
                if self.bounds.span.since is not None and at_ms < self.bounds.span.since:
                    top[partition] = first[partition]  # what is below is older still
            open_ones = [oldest[one] for one in left if one in oldest and top[one] > first[one]]
            self.since_ms = max(open_ones, default=self.since_ms)
            yield found
            if part.open:  # they were too large to be held
                return
        self.complete = True

    async def _ends(self, what: Range, begins: Mapping[int, int]) -> dict[int, int]:
        """Where to begin: at the end of each partition, or of the span.

        Brokers that cannot look up by time name the beginning: there the end is that of the partition.
        """
        if self.bounds.span.until is None:
            return dict(what.end)
        after = await self.reader.range(RangeBounds(Span(since=self.bounds.span.until), tuple(what.next)))
        return {one: after.next[one] if after.next[one] > begins[one] else end for one, end in what.end.items()}

    async def _slice(self, what: Range, keep: Keep) -> tuple[list[ConsumerRecord], dict[int, int]]:
        """What is kept of a slice, and the oldest time (epoch ms) by partition."""
        found: list[ConsumerRecord] = []
        oldest: dict[int, int] = {}
        held = 0
        async with aclosing(self.reader.chunks(what)) as chunks:
            async for chunk in chunks:
                kept = [record for record in chunk if record.timestamp in self.bounds.span and keep(record)]
                found += kept
                held += sum(len(record.value or b"") for record in kept)
                first = min(record.timestamp for record in chunk)
                oldest[chunk[0].partition] = min(first, oldest.get(chunk[0].partition, first))
                self.read += len(chunk)
                self.budget.records -= len(chunk)
                if held > self.max_bytes:
                    break
                await asyncio.sleep(BREATH_S)
        return sorted(found, key=lambda record: (-record.timestamp, record.partition, -record.offset)), oldest

"""This module waits until what a redrive wrote has ended in the pipeline, and counts what of it failed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from clients.kafka.lag import LagReader
from clients.kafka.range_reader import Reader, open_reader
from clients.kafka.ranges import Range, RangeBounds
from processors.event import headers
from settings import Settings


class RedriveOutcomes:
    """What became of what a run brought back. Made by `open_outcomes`, before the run writes anything.

    What a run wrote has ended when the group has committed past what `raw` held then, and past what `validated` held
    after that. A failure record names the run that brought its event back.
    """

    #: Seconds between two looks at what the group has committed, and without a move of it before it is given up.
    look_s, patience_s = 0.5, 60.0

    def __init__(self, settings: Settings, lag: LagReader, failures: Reader, seen: Mapping[int, int], run: str) -> None:
        self._raw, self._validated = settings.topic("raw"), settings.topic("validated")
        self._lag, self._failures, self._seen, self._run = lag, failures, dict(seen), run

    async def failed_again(self, stop: asyncio.Event) -> int | str:
        """How many failed again since the last time; or why nobody knows, as the workers do not end them, say."""
        try:
            for topic in (self._raw, self._validated):
                if not await self._ended(topic, stop):
                    return (
                        "stopped"
                        if stop.is_set()
                        else f"the workers have ended nothing of {topic} for {self.patience_s:g} s"
                    )
            return await self._count()
        except (KafkaError, OSError) as error:  # OSError takes in the time-outs
            return f"Kafka does not say what became of what was redriven: {type(error).__name__}"

    async def _ended(self, topic: str, stop: asyncio.Event) -> bool:
        """Wait until the group has ended all that the topic holds now."""
        loop = asyncio.get_running_loop()
        ends, before, gives_up = await self._positions(topic, lambda one: one.end), -1, loop.time() + self.patience_s
        while True:
            committed = await self._positions(topic, lambda one: one.committed)
            if all(committed.get(partition, 0) >= end for partition, end in ends.items()):
                return True
            if (now := sum(committed.values())) != before:
                before, gives_up = now, loop.time() + self.patience_s
            if stop.is_set() or loop.time() > gives_up:
                return False
            await asyncio.sleep(self.look_s)

    async def _positions(self, topic: str, which: Callable[..., int]) -> dict[int, int]:
        return {one.partition: which(one) for one in await self._lag.measure() if one.topic == topic}

    async def _count(self) -> int:
        now = await self._failures.range(RangeBounds())
        first = {partition: max(begin, self._seen.get(partition, 0)) for partition, begin in now.next.items()}
        found = 0
        async for chunk in self._failures.chunks(Range(now.topic, first, now.end)):
            found += sum(headers.read(dict(record.headers)).replayed == self._run for record in chunk)
        self._seen = dict(now.end)
        return found


@asynccontextmanager
async def open_outcomes(settings: Settings, known: Mapping[str, int], run: str) -> AsyncIterator[RedriveOutcomes]:
    """Look from now on. Raises RangeError."""
    lag = LagReader(settings, [settings.topic("raw"), settings.topic("validated")])
    try:
        async with open_reader(settings, settings.topic("failures"), known) as failures:
            whole = await failures.range(RangeBounds())
            yield RedriveOutcomes(settings, lag, failures, whole.end, run)
    finally:
        await lag.close()

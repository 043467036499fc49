"""This module brings lines that a source has read to `raw`, and what is no event to `failures`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing

from processors.event.headers import Meta
from processors.event.intake import IntakeEvent, taken_in
from processors.event.lines import Line
from processors.event.redaction import redactor
from processors.routes.outcome import Failed
from settings import Settings
from streams.delivery.ledger import Ledger
from streams.delivery.record import Record
from streams.delivery.result import BatchResult, Delivery


async def _at_once() -> None:
    """For a source that nobody pauses."""


class Intake:
    """Takes in what the sources of a worker read; `may_begin` returns when a batch may be read."""

    def __init__(
        self,
        settings: Settings,
        delivery: Delivery,
        ledger: Ledger,
        may_begin: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._may_begin = may_begin
        self._max_bytes, self._grace_s = settings.max_line_bytes, settings.shutdown_grace
        self._redact = redactor(settings.redact_fields)
        self._delivery, self._ledger = delivery, ledger

    async def ingest(self, lines: Iterable[Line]) -> None:
        """Bring lines to Kafka; returns when the broker has all."""
        await self._delivery.put(self._taken_in(lines))
        self._ledger.start()

    async def pump(self, batches: AsyncIterator[list[Line]], settled: Callable[[], None] | None = None) -> None:
        """Ingest batch after batch, each `settled` when Kafka has it.

        Ending it ends the reading first: what has been read still gets to Kafka.
        """
        async with aclosing(batches) as reading:  # type: ignore[type-var]
            await self._may_begin()  # never with a batch in hand: what has been read gets to Kafka
            async for batch in reading:
                task = asyncio.create_task(self._settle(batch, settled))
                try:
                    await asyncio.shield(task)
                except asyncio.CancelledError:
                    await asyncio.wait_for(task, self._grace_s)
                    raise
                await self._may_begin()

    async def _settle(self, batch: list[Line], settled: Callable[[], None] | None) -> None:
        await self.ingest(batch)
        if settled is not None:
            settled()

    def _taken_in(self, lines: Iterable[Line]) -> BatchResult:
        result = BatchResult()
        received_at = int(time.time() * 1000)
        raw = self._delivery.topics.raw.get_topic_name()
        for found in taken_in(lines, received_at, self._max_bytes, self._redact):
            result.counts.add("ingested")
            if isinstance(found, IntakeEvent):
                result.records.append(Record(raw, found.key, found.value, found.headers))
            else:
                failed = Failed.of(found.error)
                result.counts.add("raw")  # it ends here, as a failure: never on the topic, but one of the ledger's
                result.counts.fail(failed.stage, failed.error)
                meta = Meta(received_at=received_at)
                result.records.append(self._delivery.failures.report(failed, found.value, None, meta))
        return result

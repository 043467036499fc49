"""This module brings lines that a source has read to `raw`, and what is no event to `failures`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing

from clients.otlp import RECEIVE, Spans
from processors.event.headers import EVENT_ID, TRACEPARENT, Meta
from processors.event.intake import IntakeEvent, taken_in
from processors.event.lines import SourceLine
from processors.event.redaction import redactor
from processors.event.trace_context import is_sampled
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
        spans: Spans | None = None,
    ) -> None:
        self._traced, self._spans = settings.sampled_from, spans or Spans()
        self._may_begin = may_begin
        self._max_bytes, self._grace_s = settings.max_line_bytes, settings.shutdown_grace
        self._redact = redactor(settings.redact_fields)
        self._delivery, self._ledger = delivery, ledger

    async def ingest(self, lines: Iterable[SourceLine]) -> None:
        """Bring lines to Kafka; returns when the broker has all."""
        began_ns, result = time.time_ns(), self._taken_in(lines)
        await self._delivery.put(result)
        self._ledger.start()
        if self._spans.are_wanted:
            self._note_spans(began_ns, result.records)

    async def pump(
        self, batches: AsyncIterator[Sequence[SourceLine]], settled: Callable[[], None] | None = None
    ) -> None:
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

    async def _settle(self, batch: Sequence[SourceLine], settled: Callable[[], None] | None) -> None:
        await self.ingest(batch)
        if settled is not None:
            settled()

    def _note_spans(self, began_ns: int, records: Iterable[Record]) -> None:
        """A span for each event whose trace is sampled, from its receipt until Kafka had it."""
        for one in records:
            if is_sampled(trace := one.headers.get(TRACEPARENT)):
                self._spans.note(RECEIVE, trace, began_ns, {"event.id": one.headers[EVENT_ID].decode()})

    def _taken_in(self, lines: Iterable[SourceLine]) -> BatchResult:
        result = BatchResult()
        received_at = int(time.time() * 1000)
        raw = self._delivery.topics.raw.get_topic_name()
        for found in taken_in(lines, received_at, self._max_bytes, self._redact, self._traced):
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

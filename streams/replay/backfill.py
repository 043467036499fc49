"""This module heals a stretch of time: it asks Genesys for it and writes what it tells to `raw`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime

from clients.genesys.rest.errors import GenesysError
from clients.kafka.writer import Outgoing, Writer
from processors.delivery.failure_record import encode_record, failure_record
from processors.event import headers
from processors.event.headers import ENVELOPE_BYTES, Meta
from processors.event.intake import IntakeEvent, NotAnEvent, taken_in
from processors.event.redaction import redactor
from processors.genesys.interval import Interval
from processors.routes.outcome import Failed
from settings import Settings

#: Events that are written and confirmed at once.
CHUNK = 500

#: A stopped run goes on at the beginning of such a step.
STEP_MS = 900_000


@dataclass(slots=True)
class BackfillProgress:
    """How far it came. `next_ms`: everything before (epoch ms) is in Kafka; `failed`: what is no event, with a
    failure record; `not_told`: kinds of topics that the query knows nothing of.
    """

    interval: Interval
    next_ms: int
    read: int = 0
    written: int = 0
    failed: int = 0
    stopped: str = ""
    not_told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class BackfillJob:
    """One run, named in the header `replayed`; without a writer it is a rehearsal.

    `events` asks for what happened in an interval.
    """

    settings: Settings
    events: Callable[[Interval], AsyncGenerator[bytes, None]]
    writer: Writer | None
    stop: asyncio.Event
    progress: BackfillProgress
    run: str

    async def window(self, window: Interval) -> None:
        """Bring the events of one window to Kafka; `progress.stopped` says why not all of them are there."""
        async with aclosing(self._chunks(window)) as chunks:
            async for chunk in chunks:
                self.progress.read += len(chunk)
                await self._take(chunk)
                if self.stop.is_set():
                    self.progress.stopped = self.progress.stopped or "stopped"
                if self.progress.stopped:
                    return

    async def _chunks(self, window: Interval) -> AsyncGenerator[list[bytes], None]:
        chunk: list[bytes] = []
        async with aclosing(self.events(window)) as events:
            async for event in events:
                chunk.append(event)
                if len(chunk) == CHUNK:
                    yield chunk
                    chunk = []
        yield chunk

    async def _take(self, events: Sequence[bytes]) -> None:
        received_at = time.time_ns() // 1_000_000
        redact = redactor(self.settings.redact_fields)
        taken = list(taken_in(events, received_at, self.settings.max_line_bytes, redact))
        results: Sequence[str | None] = [None] * len(taken)
        if self.writer is not None and taken:
            results = await self.writer.write([self._outgoing(one, received_at) for one in taken])
        for one, reason in zip(taken, results, strict=True):
            if reason is not None:
                self.progress.stopped = self.progress.stopped or reason
            elif isinstance(one, NotAnEvent):
                self.progress.failed += 1
            elif self.writer is not None:
                self.progress.written += 1

    def _outgoing(self, one: IntakeEvent | NotAnEvent, received_at: int) -> Outgoing:
        """The record for `raw`, or the failure record of what is no event, as the source writes it."""
        mark = (headers.REPLAYED, self.run.encode())
        if isinstance(one, IntakeEvent):
            return Outgoing(self.settings.topic("raw"), one.key, one.value, (*one.headers.items(), mark))
        record = failure_record(Failed.of(one.error), one.value, timestamp=datetime.now(UTC))
        value = encode_record(record, self.settings.kafka_max_message_bytes - ENVELOPE_BYTES)
        written = headers.write(Meta(received_at=received_at))
        return Outgoing(self.settings.topic("failures"), None, value, tuple(written.items()))


async def fill(job: BackfillJob, on_progress: Callable[[int], None]) -> None:
    """Heal window after window; `on_progress` gets the seconds of the interval that are done."""
    progress = job.progress
    for window in progress.interval.windows(STEP_MS):
        try:
            await job.window(window)
        except GenesysError as error:
            progress.stopped = str(error)
        if progress.stopped:
            return
        progress.next_ms = window.end_ms
        on_progress((window.end_ms - progress.interval.start_ms) // 1000)

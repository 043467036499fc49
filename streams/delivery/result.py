"""This module brings to Kafka what a stage made of a batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from processors.metrics.counts import Counts
from streams.delivery.deduplication import Deduplication
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.topics import PipelineTopics


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What a batch comes to: records to send, and what is counted and marked once the broker has them."""

    records: list[Record] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    marks: dict[bytes, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the stages of a worker put what they made."""

    send: Callable[[Iterable[Record]], Awaitable[None]]
    topics: PipelineTopics
    failures: FailureReporter
    deduplication: Deduplication
    counts: Counts

    async def put(self, result: BatchResult) -> None:
        """Send, and note the rest when the broker has every record: a crash in between repeats, and loses nothing."""
        await self.send(result.records)
        self.deduplication.note(result.marks)
        self.counts.take(result.counts)

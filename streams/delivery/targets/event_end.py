"""This module says what the end of a published event comes to: counts, and a failure record where it failed."""

from __future__ import annotations

from typing import Literal

from processors.event.headers import Meta
from processors.event.identity import derive_event_id
from processors.metrics.arrivals import count_arrival
from processors.metrics.counts import Counts
from processors.routes.outcome import Failed
from streams.delivery.event import Event, key_of, origin_of
from streams.delivery.record import Record
from streams.delivery.report_failure import FailureReporter
from streams.delivery.result import BatchResult

#: Milliseconds; an event that claims to have been received longer ago has its `received-at` in another unit.
OLDEST_MS = 5 * 365 * 24 * 3600 * 1000

#: When an event was accepted (epoch ms), that it is on the bus already, or why it failed.
End = int | Literal["repeated"] | Failed


def add_end(result: BatchResult, end: End, event: Event, meta: Meta, failures: FailureReporter) -> None:
    """Add the end of one event to what its batch comes to."""
    counts = result.counts
    if end == "repeated":
        count_arrival(counts, meta.command, was_open=0, others=1)
        counts.add("repeated")
        return
    if meta.straight or meta.origin is None:  # no process stage has counted that it came
        count_arrival(counts, meta.command, was_open=1)
    if isinstance(end, Failed):
        counts.fail(end.stage, end.error)
        counts.route(end.route, "refused")
        result.records.append(_failure(end, event, meta, failures))
    else:
        _count_published(counts, end, meta)


def _failure(failed: Failed, event: Event, meta: Meta, failures: FailureReporter) -> Record:
    # A validated event whose original did not fit beside it is found again by its origin.
    original = meta.original if meta.origin else meta.original or event.value
    event_id = meta.event_id or (derive_event_id(failed.transformed) if failed.transformed else None)
    known = meta._replace(event_id=event_id, origin=meta.origin or origin_of(event))
    return failures.report(failed, original, key_of(event), known)


def _count_published(counts: Counts, accepted_ms: int, meta: Meta) -> None:
    counts.add("published")
    counts.route(meta.route, "published")
    if meta.received_at is not None and meta.replayed is None:  # of an old event it would say nothing
        age_ms = accepted_ms - meta.received_at
        if age_ms < OLDEST_MS:
            counts.latency(max(0, age_ms))

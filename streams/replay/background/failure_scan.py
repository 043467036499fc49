"""This module looks the failures topic through for a page: the newest first, and no further than it can wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import Reader
from clients.kafka.ranges import Range, RangeBounds
from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.replay.clusters import cluster_of
from processors.replay.redrive import RedriveTargets, failed_id
from processors.replay.selection import FailureSelection
from processors.replay.tally import Tallies
from streams.replay.failure import from_record, is_meant
from streams.replay.failure_list import ListedFailure, listed
from streams.replay.redriving.notes import NoteReader

FailureState = Literal["", "open", "redriven"]

#: Characters of a message that a list shows.
SHOWN = 300


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """How far a look may go; `slice`: offsets of each partition that are read at a time, from the end on."""

    records: int = 20_000
    seconds: float = 8.0
    slice: int = 1_000


@dataclass(slots=True)
class FailureScan:
    """What was found. `scanned`: records read; `back_to_ms`: how far back all of them were, when it was not all."""

    tallies: Tallies
    rows: list[tuple[int, JsonObject]] = field(default_factory=list)
    scanned: int = 0
    back_to_ms: int | None = None

    def as_json(self, state: FailureState, limit: int) -> JsonObject:
        """What the page shows; `limit`: failures at most."""
        newest = sorted(self.rows, key=lambda one: one[0], reverse=True)[:limit]
        return {
            "from": iso(self.tallies.since_ms),
            "to": iso(self.tallies.until_ms),
            "clusters": list(self.tallies.rows(state)),
            "failures": [row for _, row in newest],
            "scanned": self.scanned,
            "complete": self.back_to_ms is None,
            "backTo": None if self.back_to_ms is None else iso(self.back_to_ms),
        }


async def scan_failures(
    reader: Reader,
    selection: FailureSelection,
    book: NoteReader,
    named: RedriveTargets,
    *,
    state: FailureState = "",
    limit: int = 100,
    limits: ScanLimits | None = None,
) -> FailureScan:
    """Read slice by slice from the end, until the span, the topic or the limits end. Raises RangeError."""
    limits = limits or ScanLimits()
    ends = time.monotonic() + limits.seconds
    found = FailureScan(Tallies.of(selection.span, int(time.time() * 1000)))
    whole = await reader.range(RangeBounds(span=selection.span))
    lower, upper = dict(whole.next), dict(whole.end)
    reached: dict[int, int] = {}
    while any(upper[one] > lower[one] for one in upper):
        if found.scanned >= limits.records or time.monotonic() > ends:
            left = [one for one in upper if upper[one] > lower[one]]
            found.back_to_ms = max(reached.get(one, found.tallies.until_ms) for one in left)
            return found
        part = Range(whole.topic, {one: max(lower[one], upper[one] - limits.slice) for one in upper}, dict(upper))
        upper = dict(part.start)
        async for chunk in reader.chunks(part):
            partition, oldest = chunk[0].partition, chunk[0].timestamp
            reached[partition] = min(oldest, reached.get(partition, oldest))
            if selection.span.since is not None and chunk[-1].timestamp < selection.span.since:
                lower[partition] = upper[partition]  # brokers that cannot look up by time: all before it is older
            _take(found, chunk, selection, book, named, state)
            found.rows = sorted(found.rows, key=lambda one: one[0], reverse=True)[:limit]
            await asyncio.sleep(0)
    return found


def _take(
    found: FailureScan,
    chunk: Sequence[ConsumerRecord],
    selection: FailureSelection,
    book: NoteReader,
    named: RedriveTargets,
    state: FailureState,
) -> None:
    found.scanned += len(chunk)
    for failure in map(from_record, chunk):
        if is_meant(selection, failure):
            one = listed(failure, book.notes, named)
            is_redriven = one.note is not None
            found.tallies.add(cluster_of(failure.record or {}), failure.at_ms, is_redriven=is_redriven)
            if not state or is_redriven == (state == "redriven"):
                found.rows.append((failure.at_ms, row_of(one)))


def row_of(one: ListedFailure) -> JsonObject:
    """A record in a list: where it stands, what it is about, and whether it is open."""
    failure, record = one.failure, one.failure.record or {}
    partition, offset = failure.spot or (None, None)
    cluster = cluster_of(record)
    return {
        "partition": partition,
        "offset": offset,
        "at": iso(failure.at_ms),
        "eventId": failed_id(record, failure.meta),
        "key": None if failure.key is None else failure.key.decode("utf-8", "replace"),
        **cluster.as_json(),
        "message": str(record.get("message") or "")[:SHOWN],
        "state": "open" if one.note is None else "redriven",
        "run": None if one.note is None else one.note.run,
    }

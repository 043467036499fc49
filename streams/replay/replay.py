"""This module replays a range of a topic: writes its records again, or tries them on routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from clients.kafka.range_reader import CHUNK, Reader
from clients.kafka.ranges import Range, RangeBounds
from clients.kafka.writer import Outgoing, Writer
from processors.event import headers
from processors.event.headers import Origin
from processors.replay.attempts import UNREAD, Attempt, Attempts, Outcomes
from processors.replay.comparison import Comparison, Survey
from processors.routes.outcome import Filtered
from processors.routes.route import Route
from streams.replay.current_routes import CurrentRoutes
from streams.replay.pace import Pace
from streams.replay.range_run import ChunkDone, OnProgress, run_range


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """What to replay. `routes` are tried in a dry run, and by `route`; `current` are compared with them.

    `into`: the topic written to, None for a dry run; `run` names the run in the header `replayed`;
    `rate`: events a second; `dropped`: names of headers that are not written again. `straight`: `into` is
    `validated`, past the process stage.
    """

    bounds: RangeBounds
    into: str | None
    run: str
    key: bytes | None = None
    route: str | None = None
    rate: float | None = None
    limit: int | None = None
    dropped: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    current: tuple[Route, ...] | None = None
    against: CurrentRoutes | None = None
    straight: bool = False


@dataclass(slots=True)
class ReplayProgress:
    """How far a replay came. `read`: records that were meant; `stopped`: why it ended before its end.

    `skipped`: those with neither key nor value, which Kafka's clients do not write; no event is in them.
    """

    what: Range
    read: int = 0
    written: int = 0
    skipped: int = 0
    survey: Survey = field(default_factory=Survey)
    comparison: Comparison = field(default_factory=Comparison)
    stopped: str = ""
    limited: bool = False


#: Hears of each chunk that is done with, before the next is read.
OnConfirmed = Callable[[ReplayProgress], None]


def _nothing(progress: ReplayProgress) -> None:
    """Nobody wants to hear."""


class Replay:
    """One replay; `progress` is right at any time, also after an interrupt."""

    def __init__(
        self, plan: ReplayPlan, progress: ReplayProgress, stop: asyncio.Event, on_confirmed: OnConfirmed = _nothing
    ) -> None:
        self.plan = plan
        self.progress = progress
        self._stop = stop
        self._on_confirmed = on_confirmed
        self._attempts = Attempts(plan.routes, plan.current)

    async def run(self, reader: Reader, writer: Writer | None, on_progress: OnProgress) -> ReplayProgress:
        """Go through the range until its end, the limit, a stop, or a record that the brokers do not take."""
        progress, what = self.progress, self.progress.what
        progress.limited = self.plan.limit is not None and progress.read >= self.plan.limit
        if progress.limited:
            return progress
        reason = await run_range(
            reader,
            what,
            Pace(self.plan.rate, self._stop),
            CHUNK,
            lambda chunk: self._take(writer, chunk),
            on_progress,
            lambda: self._on_confirmed(progress),
        )
        progress.stopped = progress.stopped or reason
        return progress

    async def _take(self, writer: Writer | None, chunk: Sequence[ConsumerRecord]) -> ChunkDone:
        """Write or try what is meant of a chunk, and count what of it is done with."""
        wanted, ends_at = self._wanted(chunk)
        if writer is not None and (refused := await self._write(writer, wanted)) is not None:
            wanted, ends_at = wanted[:refused], wanted[refused].offset
        self.progress.read += len(wanted)
        return ChunkDone(len(wanted), ends_at)

    def _wanted(self, chunk: Sequence[ConsumerRecord]) -> tuple[list[ConsumerRecord], int | None]:
        """The records that are meant, up to the limit, and where to go on when the limit cut the chunk."""
        plan, progress = self.plan, self.progress
        wanted: list[ConsumerRecord] = []
        for record in chunk:
            if self._is_meant(record):
                wanted.append(record)
                if plan.limit is not None and progress.read + len(wanted) >= plan.limit:
                    progress.limited = True
                    return wanted, record.offset + 1
        return wanted, None

    def _is_meant(self, record: ConsumerRecord) -> bool:
        """Whether the plan means the record; in a dry run what the routes make of it is counted here."""
        plan = self.plan
        if record.timestamp not in plan.bounds.span or (plan.key is not None and record.key != plan.key):
            return False
        meta = headers.read(dict(record.headers))
        if plan.route is not None and meta.route is not None and plan.into is not None:
            return meta.route == plan.route
        if plan.into is not None and plan.route is None:
            return True
        found = self._attempts.of(record.value, meta.event_id, meta.received_at or record.timestamp)
        if plan.route is not None and not _takes(found.after) and not _takes(found.before or {}):
            return False
        if plan.into is None:
            self._count(record, found)
        return True

    def _count(self, record: ConsumerRecord, found: Attempt) -> None:
        self.progress.survey.add(found.after)
        if found.before is not None:
            origin = Origin(record.topic, record.partition, record.offset)
            self.progress.comparison.add(origin, found.before, found.after)

    async def _write(self, writer: Writer, wanted: list[ConsumerRecord]) -> int | None:
        """Write them; gives which is the first that was refused."""
        progress = self.progress
        full = [record for record in wanted if record.key is not None or record.value is not None]
        results = await writer.write(list(_again(full, self.plan)))
        progress.written += results.count(None)
        refused = None
        for record, reason in zip(full, results, strict=True):
            if reason is not None:
                progress.stopped, progress.limited = reason, False
                refused = wanted.index(record)
                break
        progress.skipped += sum(record.key is None and record.value is None for record in wanted[:refused])
        return refused


def _takes(outcomes: Outcomes) -> bool:
    return any(not isinstance(outcome, Filtered) for route, outcome in outcomes.items() if route != UNREAD)


def _again(records: Iterable[ConsumerRecord], plan: ReplayPlan) -> Iterator[Outgoing]:
    """The same key, value and headers, but for those to be dropped, and the run's name beside them.

    What says nowhere when it was received was so when Kafka got it first, not when it gets it again.
    """
    left_out = {headers.REPLAYED, headers.STRAIGHT, *plan.dropped}
    for record in records:
        kept = tuple((name, value) for name, value in record.headers if name not in left_out)
        if headers.RECEIVED_AT not in left_out and headers.read(dict(record.headers)).received_at is None:
            kept = (*kept, (headers.RECEIVED_AT, str(record.timestamp).encode()))
        marks = ((headers.REPLAYED, plan.run.encode()), *(((headers.STRAIGHT, b"1"),) if plan.straight else ()))
        yield Outgoing(plan.into or "", record.key, record.value, (*kept, *marks))

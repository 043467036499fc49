"""This module runs the redrives that somebody asks a worker for by its pages: one at a time, each with its progress."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog
from aiokafka.errors import KafkaError

from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeBounds, RangeError
from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.replay.actions import MAX_TEXT
from processors.replay.redrive_form import RedriveForm, selection_in_words
from processors.replay.selection import FailureSelection, OffsetBounds
from settings import Settings
from streams.replay.background.background_loop import BackgroundLoop
from streams.replay.redriving.notes import run_of
from streams.replay.redriving.progress import RedrivePlan, RedriveProgress
from streams.replay.redriving.redrive import open_redriving

log = structlog.get_logger(__name__)

#: Redrives whose end is remembered.
KEPT = 50

JobState = Literal["running", "done", "stopped", "failed"]


class AnotherRedriveError(Exception):
    """Another redrive runs; the text says which."""


@dataclass(slots=True)
class RedriveJob:
    """One redrive, or a rehearsal of one. `read`, `total`: offsets of the topic, for a bar."""

    plan: RedrivePlan
    dry_run: bool
    again: bool
    who: str
    state: JobState = "running"
    message: str = ""
    progress: RedriveProgress = field(default_factory=RedriveProgress)
    read: int = 0
    total: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def as_json(self) -> JsonObject:
        """What the page shows."""
        progress, span = self.progress, self.plan.selection.span
        return {
            "id": self.plan.run,
            "state": self.state,
            "dryRun": self.dry_run,
            "who": self.who,
            "begun": iso(self.plan.at_ms),
            "from": None if span.since is None else iso(span.since),
            "to": None if span.until is None else iso(span.until),
            "rate": self.plan.rate,
            "read": self.read,
            "total": self.total,
            "meant": progress.read,
            "redriven": progress.redriven,
            "skipped": progress.skipped,
            "reasons": [{"reason": reason, "count": number} for reason, number in progress.reasons.most_common(20)],
            "targets": dict(progress.targets),
            "limited": progress.limited,
            "message": self.message or progress.stopped,
        }


class RedriveJobs:
    """Those of this worker. `record` writes down who does what: nothing is redriven that is not on record."""

    def __init__(self, settings: Settings, loop: BackgroundLoop, record: Callable[..., Awaitable[object]]) -> None:
        self._settings, self._loop, self._record = settings, loop, record
        self._jobs: dict[str, RedriveJob] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, asked: RedriveForm, who: str) -> RedriveJob:
        """Begin one. Raises AnotherRedriveError while another runs: two would not know of each other's events."""
        running = next((one for one in self._jobs.values() if one.state == "running"), None)
        if running is not None:
            raise AnotherRedriveError(f"{running.plan.run} is running: wait for its end, or stop it")
        now_ms = int(time.time() * 1000)
        span = asked.selection.span
        selection = replace(asked.selection, span=replace(span, until=now_ms if span.until is None else span.until))
        plan = RedrivePlan(selection, run_of(asked.again), now_ms, asked.rate, asked.limit)
        job = RedriveJob(plan, asked.dry_run, asked.again, who)
        self._jobs[job.plan.run] = job
        for name in list(self._jobs)[:-KEPT]:
            del self._jobs[name]
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def get(self, name: str) -> RedriveJob | None:
        """A redrive by its name."""
        return self._jobs.get(name)

    def stop(self, job: RedriveJob) -> None:
        """Let it end after what it is writing."""
        self._loop.call(job.stop.set)

    async def close(self) -> None:
        """Stop what runs, and wait for it: what is written is noted."""
        for job in self._jobs.values():
            self.stop(job)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, job: RedriveJob) -> None:
        log.info("redrive begins", run=job.plan.run, dry_run=job.dry_run, who=job.who)
        try:
            if not job.dry_run:
                words = f"{job.plan.run} {selection_in_words(job.plan.selection)}"[:MAX_TEXT]
                await self._record(job.who, "redrive", detail=words)
            await self._loop.run(lambda: self._redrive(job))
            job.state = "stopped" if job.progress.stopped else "done"
        except (RangeError, KafkaError) as error:
            job.state, job.message = "failed", str(error) or type(error).__name__
        except Exception as error:  # the page must not wait for ever for one that has ended; the log has the trace
            job.state, job.message = "failed", f"it ended in an error of ours: {type(error).__name__}"
            log.error("a redrive failed", run=job.plan.run, exc_info=error)
        log.info("redrive ended", run=job.plan.run, state=job.state, redriven=job.progress.redriven)

    async def _redrive(self, job: RedriveJob) -> None:
        settings, plan = self._settings, job.plan
        known = await partition_counts(settings)
        async with open_reader(settings, settings.topic("failures"), known) as reader:
            what = await reader.range(_bounds(plan.selection))
            job.total = what.size
            opened = open_redriving(plan, settings, known, job.stop, writes=not job.dry_run, again=job.again)
            async with opened as redriving:
                job.progress = redriving.progress
                await redriving.from_topic(reader, what, lambda read: _moved(job, read))


def _moved(job: RedriveJob, read: int) -> None:
    job.read = read


def _bounds(selection: FailureSelection) -> RangeBounds:
    """What of the topic is to be read: of single records no more than from the first to the last of each partition."""
    if not selection.spots:
        return RangeBounds(span=selection.span)
    first: dict[int, int] = {}
    end: dict[int, int] = {}
    for partition, offset in selection.spots:
        first[partition] = min(offset, first.get(partition, offset))
        end[partition] = max(offset + 1, end.get(partition, 0))
    return RangeBounds(first=OffsetBounds(tuple(first.items())), end=OffsetBounds(tuple(end.items())))

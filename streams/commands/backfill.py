"""This module is the command `backfill`: what the analytics query knows of a stretch of time, to `raw` | `failures`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import Any

import click
from aiokafka.errors import KafkaError

from clients.genesys.analytics import Backfilled
from clients.kafka.range_reader import partition_counts
from clients.kafka.ranges import RangeError
from clients.kafka.writer import Writer, open_writer
from processors.event.formats import iso
from processors.event.redaction import redactor
from processors.genesys.analytics.snapshots import beyond
from processors.genesys.interval import Interval
from processors.genesys.topics.plan import separate
from settings import Settings
from streams.commands.terminal.options import MomentParam, json_option, quiet_logs, refuse
from streams.commands.terminal.organisation import OrganisationClient, notification_settings, open_organisation
from streams.commands.terminal.run_end import command_line, end_run
from streams.commands.terminal.screen import console, progress_bar
from streams.commands.terminal.stoppable import stoppable
from streams.replay import actions
from streams.replay.backfill import BackfillJob, BackfillProgress, fill
from streams.replay.run_name import run_name

EPILOG = """\b
Examples:
  genesys-eventbridge backfill --since 2h --dry-run
  genesys-eventbridge backfill --since 2026-11-23T10:00:00Z --until 2026-11-23T10:30:00Z

Exit codes: 0 all is in Kafka, 1 stopped before (the command to go on with is printed), 2 not begun.
"""


@click.command(epilog=EPILOG)
@click.option("--since", type=MomentParam(), required=True, help="From then on: 45s, 30m, 2h ago, or an ISO time.")
@click.option("--until", type=MomentParam(), help="Before this moment; written like --since. Default: now.")
@click.option("--dry-run", is_flag=True, help="Count the events; write nothing.")
@json_option
def backfill(since: int, until: int | None, dry_run: bool, as_json: bool) -> None:
    """Fetch what happened from the analytics query and write it to `raw`, for a gap that was not healed.

    The queues and users are those of the settings, the events those of GENESYS_EVENTS as the notifications bring
    them, marked `backfilled: true`. What cannot go to `raw` gets a failure record. No worker needs to run. The same
    stretch gives the same event ids however often it is fetched; what came live has ids of its own, so choose
    the stretch that was missed. The query may know a change some minutes late.
    """
    quiet_logs()
    now = time.time_ns() // 1_000_000
    interval = Interval(since, now if until is None else min(until, now))
    if interval.start_ms >= interval.end_ms:
        raise click.UsageError("--since must be before --until, and in the past")
    settings = notification_settings()
    try:
        progress = asyncio.run(_run(settings, interval, dry_run))
    except RangeError as error:
        refuse(error)
    except KafkaError as error:
        refuse(f"Kafka does not take the writer: {type(error).__name__} (see `genesys-eventbridge check`)")
    _end(progress, dry_run, as_json)


async def _run(settings: Settings, interval: Interval, dry_run: bool) -> BackfillProgress:
    progress = BackfillProgress(interval, interval.start_ms)
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(stoppable())
        writer = None if dry_run else await _writer(settings, stack, interval)
        organisation = await stack.enter_async_context(open_organisation(settings))
        if not organisation.plan.topics:
            refuse("there is nothing to listen to: see `genesys-eventbridge topics`")
        progress.not_told = beyond(name for topic in organisation.plan.topics for name in separate(topic))
        job = BackfillJob(settings, _events(organisation, settings), writer, stop, progress, run_name("backfill"))
        seconds = (interval.end_ms - interval.start_ms) // 1000
        moved = stack.enter_context(progress_bar("seconds of the past", seconds, unit="s"))
        filled = asyncio.create_task(fill(job, moved))
        stopped = asyncio.create_task(stop.wait())
        # Asked to stop while Genesys is waited for: what is on its way to Kafka is confirmed first.
        await asyncio.wait({filled, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not filled.done():
            await asyncio.wait({filled}, timeout=5.0)
            filled.cancel()
            progress.stopped = progress.stopped or "stopped"
        await asyncio.gather(filled, stopped, return_exceptions=True)
        if not filled.cancelled() and (error := filled.exception()) is not None:
            raise error
    return progress


def _events(organisation: OrganisationClient, settings: Settings) -> Callable[[Interval], AsyncGenerator[bytes, None]]:
    redact = redactor(settings.redact_fields)
    found = Backfilled(organisation.rest, organisation.plan, organisation.names, settings.genesys_events, redact)
    return found.during


async def _writer(settings: Settings, stack: AsyncExitStack, interval: Interval) -> Writer:
    """Raises RangeError when Kafka does not answer or lacks a topic: those are not ours to create."""
    needed = (settings.topic("raw"), settings.topic("failures"))
    known = await partition_counts(settings, () if settings.kafka_create_topics else needed)
    for name in needed:
        if name not in known:
            raise RangeError(f"there is no topic {name}: start a worker once, or create it")
    writer = await stack.enter_async_context(open_writer(settings))
    meant = f"{iso(interval.start_ms)}/{iso(interval.end_ms)}"
    await actions.note(writer, settings, known, actions.now("backfill", detail=meant))
    return writer


def _end(progress: BackfillProgress, dry_run: bool, as_json: bool) -> None:
    if progress.stopped and not progress.read:
        refuse(progress.stopped)
    result: dict[str, Any] = {"read": progress.read, "written": progress.written, "failed": progress.failed}
    if progress.not_told:
        result["notTold"] = progress.not_told
    end_run(
        result,
        lambda: _show(progress, dry_run),
        as_json=as_json,
        stopped=progress.stopped,
        resume=_resume(progress, dry_run) if progress.stopped else "",
    )


def _show(progress: BackfillProgress, dry_run: bool) -> None:
    rehearsed = "; nothing was written" if dry_run else ""
    failed = f", {progress.failed} failed" if progress.failed else ""
    console().print(f"{progress.read} read, {progress.written} written to raw{failed}{rehearsed}", markup=False)
    if progress.not_told:
        kinds = ", ".join(progress.not_told)
        console().print(f"the query does not report what these topics bring: {kinds}", markup=False)


def _resume(progress: BackfillProgress, dry_run: bool) -> str:
    options = {"--since": iso(progress.next_ms), "--until": iso(progress.interval.end_ms)}
    return command_line("backfill", options, {"--dry-run": dry_run})

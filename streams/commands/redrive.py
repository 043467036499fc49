"""This module is the command `redrive`: failures back to the topics they come from, to be tried again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import click

from clients.aws.answers import AWS_ERRORS, AwsConfigurationError, reason
from clients.aws.client import open_client
from clients.aws.sqs_receiver import QueueReceiver
from clients.kafka.range_reader import Reader, open_reader, partition_counts
from clients.kafka.ranges import Range, RangeBounds, RangeError
from settings import Settings, load_settings
from streams.commands.replaying.redrive_report import as_object, show, show_rehearsal
from streams.commands.terminal.failure_options import failure_options, selection_arguments, taken_selection
from streams.commands.terminal.options import (
    json_option,
    quiet_logs,
    range_options,
    rate_option,
    refuse,
    resume_arguments,
    span_arguments,
    taken_bounds,
)
from streams.commands.terminal.run_end import command_line, end_run, stopped_by_kafka
from streams.commands.terminal.screen import progress_bar
from streams.commands.terminal.stoppable import stoppable
from streams.replay import actions
from streams.replay.redriving.notes import run_of
from streams.replay.redriving.progress import RedrivePlan, RedriveProgress
from streams.replay.redriving.redrive import Redriving, open_redriving

EXAMPLES = """\b
Examples:
  genesys-eventbridge redrive --dry-run
  genesys-eventbridge redrive --stage publish --since 2h
  genesys-eventbridge redrive --error SchemaViolation --route interaction --yes --json
  genesys-eventbridge redrive --path detail.priority --dry-run
  genesys-eventbridge redrive --event-id 5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11 --again
  genesys-eventbridge redrive --from-queue --limit 100 --rate 10

Exit codes: 0 all that was meant, 1 stopped before (the command to go on with is printed), 2 not begun,
3 all that is there, but offsets that were asked for are not (each is named: deleted by Kafka, or beyond the end).
"""

#: Seconds for which received messages stay with this run at least.
VISIBILITY_S = 120


@dataclass(frozen=True, slots=True)
class RedriveRequest:
    """What was asked for."""

    plan: RedrivePlan
    bounds: RangeBounds
    again: bool
    confirmed: bool
    stops: bool
    from_queue: bool
    dry_run: bool
    as_json: bool


@click.command(epilog=EXAMPLES)
@failure_options
@range_options
@click.option("--again", is_flag=True, help="Take also what an earlier run has brought back.")
@click.option("--from-queue", is_flag=True, help="Take them from DLQ_QUEUE_URL and delete them there.")
@click.option("--dry-run", is_flag=True, help="Tell what would be redriven; write and delete nothing.")
@click.option(
    "--on-failure",
    type=click.Choice(["keep", "stop"]),
    default="keep",
    show_default=True,
    help="What an event that fails again does: its new record is kept for the next run, or the run stops as well.",
)
@rate_option
@click.option("--limit", type=click.IntRange(1), help="End after so many records.")
@click.option("--yes", is_flag=True, help="Do not ask on a terminal.")
@json_option
def redrive(again: bool, on_failure: str, rate: float | None, limit: int | None, yes: bool, **given: Any) -> None:
    """Take failed events back to where they failed: publish to `validated`, everything else to `raw`.

    Without options all of the failures topic is meant, as it is when the command starts; an event goes back
    once, by its newest record. What a record holds no more is looked up in `raw`. Events keep key and event id,
    and carry the run's name in the header `replayed`; those that fail again make new records, for the next run.
    The records stay in the topic; what was brought back is noted in the topic `redriven`, and the next run
    leaves it out, from the topic and from the queue. Messages of the queue are deleted when Kafka has the event.
    """
    quiet_logs()
    settings = load_settings()
    selection = taken_selection(given)
    where = taken_bounds(given)
    selection = replace(selection, span=where.span)
    plan = RedrivePlan(selection, run_of(again), time.time_ns() // 1_000_000, rate, limit)
    request = RedriveRequest(plan, where, again, yes or not _asks(), on_failure == "stop", **given)
    if request.from_queue and (where.partitions or where.first.by_partition or where.end.by_partition):
        raise click.UsageError("a queue has no partitions and offsets: select with --since, --stage or --error")
    if request.from_queue and settings.dlq_queue_url is None:
        refuse("DLQ_QUEUE_URL is not set: set it, or leave --from-queue out to redrive the failures topic")
    try:
        asyncio.run(_run(request, settings))
    except RangeError as error:
        refuse(error)


def _asks() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


async def _run(request: RedriveRequest, settings: Settings) -> None:
    known = await partition_counts(settings)
    if request.from_queue:
        await _from_queue(request, settings, known)
    else:
        await _from_topic(request, settings, known)


async def _from_topic(request: RedriveRequest, settings: Settings, known: Mapping[str, int]) -> None:
    """Rehearse where somebody is to be asked, then do it over the very same range."""
    source = settings.topic("failures")
    async with open_reader(settings, source, known) as reader:
        what = await reader.range(request.bounds)
        if not request.dry_run and not request.confirmed and what.size:
            await _rehearse(request, settings, known, reader, what)
        async with _redriving(request, settings, known, writes=not request.dry_run) as redriving:
            with progress_bar(source, what.size) as moved, stopped_by_kafka(redriving.progress):
                await redriving.from_topic(reader, what, moved)
    _end(request, redriving.progress, source, what)


async def _rehearse(
    request: RedriveRequest, settings: Settings, known: Mapping[str, int], reader: Reader, what: Range
) -> None:
    """Show what the redrive would do, and ask."""
    async with _redriving(request, settings, known, writes=False) as rehearsal:
        rehearsed = Range(what.topic, dict(what.next), what.end)
        with progress_bar(f"counting {what.topic}", what.size) as moved:
            await rehearsal.from_topic(reader, rehearsed, moved)
    if rehearsal.progress.redriven:
        show_rehearsal(rehearsal.progress)
        click.confirm("Redrive them?", abort=True, err=True)


async def _from_queue(request: RedriveRequest, settings: Settings, known: Mapping[str, int]) -> None:
    url = settings.dlq_queue_url or ""
    pause_s = 10 / request.plan.rate if request.plan.rate else 0.0
    progress: RedriveProgress | None = None
    try:
        async with open_client(settings, "sqs") as client:
            if not request.dry_run and not request.confirmed:
                await _ask_for_queue(client, url)
            queue = QueueReceiver(client, url, visibility_s=min(43_200, VISIBILITY_S + int(2 * pause_s)))
            async with _redriving(request, settings, known, writes=not request.dry_run) as redriving:
                progress = redriving.progress
                await redriving.from_queue(queue, request.plan.at_ms)
    except AwsConfigurationError as error:
        refuse(error)
    except AWS_ERRORS as error:
        why = f"the queue {url} cannot be used: {reason(error)}"
        if progress is None or not progress.read:
            refuse(f"{why} (sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility are needed)")
        progress.stopped = why
    assert progress is not None
    _end(request, progress, url.rpartition("/")[2], None)


async def _ask_for_queue(client: Any, url: str) -> None:
    name = "ApproximateNumberOfMessages"
    answer = await client.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
    number = (answer.get("Attributes") or {}).get(name, "?")
    click.confirm(f"The queue holds about {number} messages. Redrive those that are meant?", abort=True, err=True)


@contextlib.asynccontextmanager
async def _redriving(
    request: RedriveRequest, settings: Settings, known: Mapping[str, int], *, writes: bool
) -> AsyncIterator[Redriving]:
    with stoppable() as stop:
        opened = open_redriving(
            request.plan, settings, known, stop, writes=writes, again=request.again, watches=request.stops
        )
        async with opened as redriving:
            if redriving.writer is not None:
                await actions.note(redriving.writer, settings, known, actions.now("redrive", detail=_meant(request)))
            yield redriving


def _meant(request: RedriveRequest) -> str:
    """The run, and what it takes, in the words of the command line."""
    chosen = [*selection_arguments(request.plan.selection), *span_arguments(request.plan.selection.span)]
    return " ".join([request.plan.run, *(["--from-queue"] if request.from_queue else []), *chosen])


def _end(request: RedriveRequest, progress: RedriveProgress, source: str, what: Range | None) -> None:
    end_run(
        as_object(request.plan, progress, dry_run=request.dry_run),
        lambda: show(request.plan, progress, source, dry_run=request.dry_run),
        as_json=request.as_json,
        stopped=progress.stopped,
        limited=progress.limited,
        missing=what.missing if what is not None else (),
        resume=_resume(request, progress, what) if progress.stopped or progress.limited else "",
    )


def _resume(request: RedriveRequest, progress: RedriveProgress, what: Range | None) -> str:
    """The command that goes on where this one ended; empty when nothing is left."""
    if what is not None and not what.open:
        return ""
    plan, chosen = request.plan, request.plan.selection
    more = [*selection_arguments(chosen), *span_arguments(chosen.span)]
    more += resume_arguments(what) if what is not None else []
    left = plan.limit - progress.counted if plan.limit is not None and not progress.limited else plan.limit
    flags = {"--from-queue": request.from_queue, "--again": request.again, "--dry-run": request.dry_run}
    stops = "stop" if request.stops else None
    return command_line("redrive", {"--on-failure": stops, "--rate": plan.rate, "--limit": left}, flags, more)

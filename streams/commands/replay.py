"""This module is the command `replay`: a range of a topic once more, into a topic or through a mapping."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click

from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeError
from clients.kafka.writer import open_writer
from processors.replay.comparison import FailOn
from settings import Settings, load_settings
from streams import topology
from streams.commands.replaying.replay_html import comparison_page
from streams.commands.replaying.replay_report import as_object, show
from streams.commands.replaying.replay_request import ReplayRequest, check_request, plan_of
from streams.commands.replaying.replay_resume import TYPED, RememberingCommand, Saving, earlier, taken_up, the_only
from streams.commands.terminal.options import (
    EXIT_DIFFERS,
    EXIT_STOPPED,
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
from streams.replay.replay import Replay, ReplayPlan, ReplayProgress

EXAMPLES = """\b
Examples:
  genesys-eventbridge replay --since 2h --dry-run
  genesys-eventbridge replay --since 7d --dry-run --routes-dir ./new-schemas
  genesys-eventbridge replay --since 7d --dry-run --routes-dir ./new-schemas --fail-on failing --html changes.html
  genesys-eventbridge replay --since 2026-11-23T10:00Z --until 2026-11-23T11:00Z --into raw --rate 200
  genesys-eventbridge replay --partition 3 --from-offset 1000 --to-offset 2000 --into raw
  genesys-eventbridge replay --since 7d --into raw --resume
  genesys-eventbridge replay --key 5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11 --into raw

Exit codes: 0 all of the range, 1 stopped before its end (the command to go on with is printed), 2 not begun,
3 all that is there, but offsets that were asked for are not (each is named: deleted by Kafka, or beyond the end),
4 all of the range, and --fail-on found what it looks for.
"""


@click.command(cls=RememberingCommand, epilog=EXAMPLES)
@range_options
@click.option("--key", help="Only records of this key: the interaction (conversation) id.")
@click.option("--route", metavar="NAME", help="Only events that this route takes.")
@click.option("--from", "source", metavar="TOPIC", default="raw", show_default=True, help="Topic to read.")
@click.option("--into", metavar="TOPIC", help="Topic to write to: raw, or any other.")
@click.option(
    "--drop-header", "dropped", metavar="NAME", multiple=True, help="Do not write this header again; repeatable."
)
@click.option("--dry-run", is_flag=True, help="Run filter, mapping and schema on each event; write nothing.")
@click.option(
    "--routes-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Routes to try in a dry run; what they would change against those that workers run is reported.",
)
@click.option(
    "--url", help="With --routes-dir: the worker whose routes they are compared with. Default: as for `resume`."
)
@click.option("--examples", type=click.IntRange(0), help="Examples of each route and kind of change. [default: 5]")
@click.option(
    "--fail-on",
    type=click.Choice(get_args(FailOn)),
    help="With --routes-dir: exit 4 when any event changes, or when one fails that did not.",
)
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="With --routes-dir: write the comparison as a page."
)
@rate_option
@click.option("--limit", type=click.IntRange(1), help="End after so many events.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on where an earlier run of this stopped or was killed; alone, with the one there is.",
)
@json_option
@click.pass_context
def replay(context: click.Context, /, source: str, into: str | None, resume: bool, as_json: bool, **given: Any) -> None:
    """Read a range of a topic once more and emit it again, or try it on routes.

    The range ends where the topic ends when the command starts. Records written keep key, value, event id and
    all other headers, and carry the run's name in the header `replayed`. No consumer group takes part: the
    workers' offsets stay as they are. Topics of the flow go by their short names (raw, validated, failures).
    What is confirmed is noted in DATA_DIR, so that `--resume` goes on also after a kill.
    """
    quiet_logs()
    settings = load_settings()
    typed: tuple[str, ...] = context.meta[TYPED]
    if resume and not typed:
        with replay.make_context("replay", [*the_only(settings), "--resume", *(["--json"] * as_json)]) as again:
            replay.invoke(again)
        return
    request = ReplayRequest(
        source=topology.full_name(settings, source),
        into=topology.full_name(settings, into) if into else None,
        as_json=as_json,
        typed=typed,
        bounds=taken_bounds(given),
        **given,
    )
    check_request(request, settings)
    if resume and request.dry_run:
        raise click.UsageError("--resume goes on with what was written: a dry run writes nothing")
    if request.into is not None and not request.dry_run:
        found = earlier(settings, request.source, request.into, typed, resume=resume)
        request = replace(request, earlier=found, bounds=found.bounds if found is not None else request.bounds)
    try:
        asyncio.run(_run(request, settings))
    except RangeError as error:
        refuse(error)


async def _run(request: ReplayRequest, settings: Settings) -> None:
    plan = await plan_of(request, settings)
    known = await partition_counts(settings)
    if plan.into is not None and plan.into not in known:
        raise RangeError(f"there is no topic {plan.into}: create it first")
    with stoppable() as stop:
        async with contextlib.AsyncExitStack() as stack:
            reader = await stack.enter_async_context(open_reader(settings, request.source, known))
            what = await reader.range(request.bounds)
            progress = taken_up(what, request.earlier)
            progress.comparison.keep = progress.comparison.keep if request.examples is None else request.examples
            writer = await stack.enter_async_context(open_writer(settings, [plan.into])) if plan.into else None
            if writer is not None:
                done = actions.now("replay", detail=f"{plan.run} {request.source} into {plan.into}")
                await actions.note(writer, settings, known, done)
            saving = Saving(settings, request.typed, plan) if plan.into else None
            if saving is None:
                replaying = Replay(plan, progress, stop)
            else:
                saving.begin(progress)
                saving.save(progress)
                replaying = Replay(plan, progress, stop, saving.save)
            with progress_bar(request.source, what.size) as moved, stopped_by_kafka(progress):
                await replaying.run(reader, writer, moved)
            if saving is not None:
                saving.end(progress)
    _end(request, plan, progress)


def _end(request: ReplayRequest, plan: ReplayPlan, progress: ReplayProgress) -> None:
    written = request.html is None or _write_page(request.html, request, plan, progress)
    end_run(
        as_object(plan, progress),
        lambda: show(request.source, plan, progress),
        as_json=request.as_json,
        stopped=progress.stopped,
        limited=progress.limited,
        missing=progress.what.missing,
        resume=_resume(request, progress) if progress.stopped or progress.limited else "",
    )
    if progress.comparison.fails(request.fail_on):
        raise SystemExit(EXIT_DIFFERS)
    if not written:
        raise SystemExit(EXIT_STOPPED)


def _write_page(file: Path, request: ReplayRequest, plan: ReplayPlan, progress: ReplayProgress) -> bool:
    """Whether it could be; what was found is told all the same."""
    try:
        file.write_text(comparison_page(request.source, str(request.routes_dir), str(plan.against), progress), "utf-8")
    except OSError as error:
        click.echo(f"genesys-eventbridge: --html: {file} cannot be written: {error.strerror}", err=True)
        return False
    return True


def _resume(request: ReplayRequest, progress: ReplayProgress) -> str:
    """The command that goes on where this one ended; empty when nothing is left."""
    if not progress.what.open:
        return ""
    left = request.limit - progress.read if request.limit is not None and not progress.limited else request.limit
    options = {
        "--from": request.source,
        "--into": request.into,
        "--key": request.key,
        "--route": request.route,
        "--routes-dir": request.routes_dir,
        "--url": request.url,
        "--examples": request.examples,
        "--fail-on": request.fail_on,
        "--html": request.html,
        "--rate": request.rate,
        "--limit": left,
    }
    more = [part for name in request.dropped for part in ("--drop-header", name)]
    more += span_arguments(request.bounds.span) + resume_arguments(progress.what)
    return command_line("replay", options, {"--dry-run": request.dry_run}, more)

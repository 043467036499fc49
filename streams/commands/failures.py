"""This module is the command `failures`: what failed, what of it was redriven, and one event's records whole."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any

import click

from clients.kafka.range_reader import open_reader, partition_counts
from clients.kafka.ranges import RangeBounds, RangeError
from processors.event.formats import iso
from processors.event.strict_json import JsonObject
from processors.replay.redrive import RedriveTargets
from processors.replay.selection import FailureSelection
from settings import Settings, load_settings
from streams.commands.replaying.redrive_report import clusters_table
from streams.commands.terminal.failure_options import failure_options, taken_selection
from streams.commands.terminal.options import EXIT_STOPPED, json_option, quiet_logs, range_options, refuse, taken_bounds
from streams.commands.terminal.run_end import end_run
from streams.commands.terminal.screen import as_json as json_text
from streams.commands.terminal.screen import console, print_json, table
from streams.replay.failure_list import FailureList, ListedFailure, list_failures
from streams.replay.redriving.notes import open_notes

EPILOG = """\b
Examples:
  genesys-eventbridge failures list --since 2h
  genesys-eventbridge failures list --error SchemaViolation --path detail.priority --json
  genesys-eventbridge failures show 5f8c2a34-9b1d-4e57-8a53-0c7b1f0f6a11

Exit codes: 0 shown, 1 `show` finds no such event, 2 not begun (one line says why), 3 shown, but offsets that were
asked for are not there (each is named: deleted by Kafka, or beyond the end).
"""


@click.group(epilog=EPILOG)
def failures() -> None:
    """Look into the failures topic; nothing is written, and no consumer group takes part."""
    quiet_logs()


@failures.command("list", epilog=EPILOG)
@failure_options
@range_options
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Newest records to show.")
@json_option
def list_command(limit: int, as_json: bool, **given: Any) -> None:
    """Show failures by stage, error, route and violated path, and the newest of them."""
    selection = taken_selection(given)
    where = taken_bounds(given)
    found = _read(load_settings(), where, replace(selection, span=where.span), limit)
    end_run(_as_json(found), lambda: _show(found), as_json=as_json, missing=found.missing)


@failures.command(epilog=EPILOG)
@click.argument("event_id")
@json_option
def show(event_id: str, as_json: bool) -> None:
    """Show every failure record of one event whole, the newest first."""
    settings = load_settings()
    found = _read(settings, RangeBounds(), FailureSelection(event_ids=(event_id,)), None)
    if as_json:
        print_json({"eventId": event_id, "records": [one.as_json() for one in found.newest]})
    elif found.read:
        for one in found.newest:
            _show_whole(one)
    if not found.read:
        print(
            f"genesys-eventbridge: {settings.topic('failures')} holds no failure of event {event_id} "
            "(`failures list` shows the ids)",
            file=sys.stderr,
        )
        sys.exit(EXIT_STOPPED)


def _read(settings: Settings, where: RangeBounds, selection: FailureSelection, keep: int | None) -> FailureList:
    try:
        return asyncio.run(_list(settings, where, selection, keep))
    except RangeError as error:
        refuse(error)


async def _list(settings: Settings, where: RangeBounds, selection: FailureSelection, keep: int | None) -> FailureList:
    known = await partition_counts(settings)
    named = RedriveTargets(settings.topic("raw"), settings.topic("validated"), settings.kafka_max_message_bytes)
    async with (
        open_reader(settings, settings.topic("failures"), known) as reader,
        open_notes(settings, known, None) as redriven,
    ):
        return await list_failures(reader, await reader.range(where), selection, redriven.notes, named, keep)


def _as_json(found: FailureList) -> JsonObject:
    return {
        "read": found.read,
        "open": found.read - found.redriven,
        "redriven": found.redriven,
        "clusters": [one.as_json() | {"records": number} for one, number in found.clusters.most_common()],
        "newest": [one.as_json() for one in found.newest],
    }


def _show(found: FailureList) -> None:
    screen = console()
    screen.print(f"{found.read} failure records, {found.redriven} of them redriven since", markup=False)
    if not found.read:
        return
    screen.print(clusters_table(found.clusters))
    rows = [
        [
            iso(one.failure.at_ms),
            *(str((one.failure.record or {}).get(name) or "") for name in ("stage", "error", "route", "eventId")),
            "" if one.note is None else one.note.run,
        ]
        for one in found.newest
    ]
    if rows:
        screen.print(table("The newest", ["written at", "stage", "error", "route", "event id", "redriven by"], rows))


def _show_whole(one: ListedFailure) -> None:
    screen, failure, record = console(), one.failure, one.failure.record or {}
    partition, offset = failure.spot or ("?", "?")
    lines = [
        f"partition {partition}, offset {offset}, written at {iso(failure.at_ms)}",
        f"{record.get('stage')}: {record.get('error')}: {record.get('message')}",
    ]
    if one.note is not None:
        lines.append(f"redriven by run {one.note.run} at {iso(one.note.at_ms)}")
    for line in lines:
        screen.print(line, markup=False, soft_wrap=True)
    details = record.get("details")
    violated = [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []
    if violated:
        rows = [[str(detail.get(name) or "") for name in ("path", "rule", "message")] for detail in violated]
        screen.print(table("Violations", ["path", "rule", "message"], rows))
    screen.print(json_text(failure.record, indent=2), markup=False, soft_wrap=True)

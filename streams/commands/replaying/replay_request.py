"""This module holds what was asked of `replay`, and refuses what cannot be meant."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from clients.kafka.ranges import RangeBounds
from processors.replay.comparison import FailOn
from settings import Settings
from streams import topology
from streams.replay.checkpoint import ReplayCheckpoint

#: Topics whose records are understood by what reads another topic: nothing else may be mixed.
KINDS = ("raw", "validated", "failures")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What was asked for. `source` and `into` are full names of topics."""

    source: str
    into: str | None
    dry_run: bool
    bounds: RangeBounds
    key: str | None
    route: str | None
    rate: float | None
    limit: int | None
    routes_dir: Path | None
    as_json: bool
    examples: int | None = None
    fail_on: FailOn | None = None
    html: Path | None = None
    url: str | None = None
    dropped: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    earlier: ReplayCheckpoint | None = None


def check(request: ReplayRequest, settings: Settings) -> None:
    """Refuse what cannot be meant. Raises UsageError."""
    source = topology.flow_name(settings, request.source)
    into = topology.flow_name(settings, request.into) if request.into else None
    if not request.dry_run and request.into is None:
        raise click.UsageError(
            "choose --dry-run to see what the routes make of the range, or --into raw to emit it again"
        )
    if request.routes_dir is not None and not request.dry_run:
        raise click.UsageError("--routes-dir tries other routes: give --dry-run with it")
    if request.routes_dir is None and (request.fail_on or request.html or request.url or request.examples is not None):
        raise click.UsageError(
            "--examples, --fail-on, --html and --url tell what other routes change: give --routes-dir"
        )
    if request.dropped and request.dry_run:
        raise click.UsageError("--drop-header is about what is written: a dry run writes nothing")
    if request.html is not None and not os.access(request.html.absolute().parent, os.W_OK):
        raise click.UsageError(f"--html: the folder of {request.html} is not there or cannot be written")
    if request.dry_run and source not in ("raw", None):
        raise click.UsageError(f"a dry run tries events of raw, and {request.source} holds something else")
    if request.dry_run or into is None:
        return
    if into not in KINDS or (source is not None and source != into):
        remedy = "redrive takes failures back" if source == "failures" else "choose --into raw or a topic of your own"
        raise click.UsageError(f"{request.into} cannot take records of {request.source}: {remedy}")

"""This module holds what was asked of `replay`, refuses what cannot be meant, and says what it comes to."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import click

from clients.kafka.ranges import RangeBounds
from processors.replay.comparison import FailOn
from processors.routes.route import Route
from settings import Settings
from streams import topology
from streams.commands.replaying.live_routes import current_routes
from streams.replay.checkpoint import ReplayCheckpoint
from streams.replay.replay import ReplayPlan
from streams.replay.run_name import run_name
from streams.routes.load import compiled_routes

#: Topics whose records are understood by what reads another topic: nothing else may be mixed.
KINDS = ("raw", "validated", "failures")


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What was asked for, by the names of the options. `source` and `into` are full names of topics."""

    source: str
    into: str | None
    as_json: bool
    typed: tuple[str, ...]
    bounds: RangeBounds
    dry_run: bool
    key: str | None
    route: str | None
    rate: float | None
    limit: int | None
    routes_dir: Path | None
    url: str | None
    examples: int | None
    fail_on: FailOn | None
    html: Path | None
    dropped: tuple[str, ...]
    earlier: ReplayCheckpoint | None = None


def check_request(request: ReplayRequest, settings: Settings) -> None:
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
            "--examples, --fail-on, --html and --url report what other routes change: give --routes-dir"
        )
    if request.dropped and request.dry_run:
        raise click.UsageError("--drop-header is about what is written: a dry run writes nothing")
    if request.html is not None and not os.access(request.html.absolute().parent, os.W_OK):
        raise click.UsageError(f"--html: the folder of {request.html} is not there or cannot be written")
    if request.dry_run and source not in ("raw", None):
        raise click.UsageError(f"a dry run tries events of raw, and {request.source} holds something else")
    if request.dry_run:
        return
    books = {*topology.needed_topics(settings), settings.topic(topology.REDRIVEN)}.difference(
        map(settings.topic, KINDS)
    )
    mixed = source is not None and into is not None and source != into
    if mixed or not books.isdisjoint((request.source, request.into)):
        remedy = "redrive takes failures back" if source == "failures" else "choose --into raw or a topic of your own"
        raise click.UsageError(f"{request.into} cannot take records of {request.source}: {remedy}")


async def plan_of(request: ReplayRequest, settings: Settings) -> ReplayPlan:
    """The plan, with the routes that it needs. Raises RouteError, and UsageError for an unknown route."""
    plan = ReplayPlan(
        bounds=request.bounds,
        into=None if request.dry_run else request.into,
        run=request.earlier.run if request.earlier is not None else run_name("replay"),
        key=request.key.encode() if request.key is not None else None,
        route=request.route,
        rate=request.rate,
        limit=request.limit,
        straight=request.into == settings.topic("validated"),
        dropped=request.dropped,
    )
    if not request.dry_run and request.route is None:
        return plan
    routes = await compiled_routes(settings, request.routes_dir)
    against = await current_routes(settings, request.url) if request.routes_dir is not None else None
    current = against.routes if against is not None else None
    if request.route is not None:
        every = (*routes, *(current or ()))
        if not any(one.name == request.route for one in every):
            names = ", ".join(sorted({one.name for one in every}))
            raise click.UsageError(f"there is no route {request.route}; there are {names}")
        routes = _only(routes, request.route)
        current = _only(current, request.route) if current is not None else None
    return replace(plan, routes=routes, current=current, against=against)


def _only(routes: tuple[Route, ...], name: str) -> tuple[Route, ...]:
    return tuple(route for route in routes if route.name == name)

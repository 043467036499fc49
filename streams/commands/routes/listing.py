"""This module is the command `routes` by itself: it lists the routes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from processors.event.strict_json import JsonObject
from processors.routes.route import Route
from processors.routes.routes import route_summary
from settings import Settings, load_settings
from streams.commands.terminal.options import folder_option, quiet_logs
from streams.commands.terminal.screen import console, print_json, show_warnings, table
from streams.routes.load import compiled_routes

EPILOG = """\b
Examples:
  genesys-eventbridge routes
  genesys-eventbridge routes test
  genesys-eventbridge routes new vip-calls --from event.json
  genesys-eventbridge routes diff
  genesys-eventbridge routes export ./for-consumers

Exit codes: 0 fine, 1 an example does not hold, 2 a route is wrong (one line says which).
"""


@click.group(invoke_without_command=True, epilog=EPILOG)
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.pass_context
def routes(context: click.Context, routes_dir: Path | None, as_json: bool) -> None:
    """List the routes: what each takes, what it makes of it, and the JSONata engine it runs on."""
    quiet_logs()
    context.obj = (routes_dir, as_json)
    if context.invoked_subcommand is None:
        found = asyncio.run(compiled_routes(load_settings(), routes_dir))
        if as_json:
            print_json([_as_json(route) for route in found])
        else:
            _show(found)


def folder_of(context: click.Context, settings: Settings, routes_dir: Path | None) -> Path:
    """The folder that was named after a command of `routes`, before it, or in the settings."""
    above: Path | None = context.obj[0]
    return routes_dir or above or settings.routes_dir


def _as_json(route: Route) -> JsonObject:
    return {**route_summary(route), "schema": route.texts.schema_origin, "engineReason": route.engine_reason}


def _show(found: tuple[Route, ...]) -> None:
    rows = [
        [
            route.name,
            route.texts.description,
            f"{route.texts.source or '(by mapping)'} · {route.texts.detail_type or '(by mapping)'}",
            route.texts.event_bus or "EVENTBUS_NAME",
            route.texts.schema_origin,
            route.engine + (f": {route.engine_reason}" if route.engine_reason else ""),
        ]
        for route in found
    ]
    columns = ["route", "description", "source · detail-type", "bus", "schema", "engine"]
    console().print(table("Routes", columns, rows))
    show_warnings((route.name, route.texts.warnings) for route in found)

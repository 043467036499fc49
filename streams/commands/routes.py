"""This module is the command `routes`: lists the routes, and runs their examples."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
from rich.text import Text

from processors.event.strict_json import JsonObject
from processors.routes.differences import MISSING, Difference
from processors.routes.examples import TriedExample, run_examples, second_opinion
from processors.routes.route import Route
from settings import load_settings
from streams.commands.terminal.options import EXIT_STOPPED, quiet_logs
from streams.commands.terminal.screen import brief, console, print_json, table
from streams.routes.load import compiled_routes

EPILOG = """\b
Examples:
  genesys-eventbridge routes
  genesys-eventbridge routes test
  genesys-eventbridge routes test --routes-dir ./new-schemas --json

Exit codes: 0 fine, 1 an example does not hold, 2 a route is wrong (one line says which).
"""


@click.group(invoke_without_command=True, epilog=EPILOG)
@click.option(
    "--routes-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of routes; by default ROUTES_DIR.",
)
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


@routes.command(epilog=EPILOG)
@click.option(
    "--routes-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of routes; by default ROUTES_DIR.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
@click.pass_context
def test(context: click.Context, routes_dir: Path | None, as_json: bool) -> None:
    """Run every route's examples and show what differs."""
    folder_above, json_above = context.obj
    found = asyncio.run(compiled_routes(load_settings(), routes_dir or folder_above))
    tried = {route.name: run_examples(route, second_opinion(route)) for route in found}
    failed = sum(not one.holds for ones in tried.values() for one in ones)
    if as_json or json_above:
        total = sum(map(len, tried.values()))
        by_route = {name: [one.as_json() for one in ones] for name, ones in tried.items()}
        told = {name: list(warnings) for name, warnings in _warnings(found).items()}
        print_json({"examples": total, "failed": failed, "routes": by_route, "warnings": told})
    else:
        _show_tried(tried, failed)
        _show_warnings(found)
    sys.exit(EXIT_STOPPED if failed else 0)


def _as_json(route: Route) -> JsonObject:
    texts = route.texts
    return {
        "name": route.name,
        "description": texts.description,
        "source": texts.source,
        "detailType": texts.detail_type,
        "eventBus": texts.event_bus,
        "schema": texts.schema_origin,
        "examples": len(texts.examples),
        "engine": route.engine,
        "engineReason": route.engine_reason,
        "warnings": list(route.texts.warnings),
    }


def _warnings(found: tuple[Route, ...]) -> dict[str, tuple[str, ...]]:
    return {route.name: route.texts.warnings for route in found if route.texts.warnings}


def _show_warnings(found: tuple[Route, ...]) -> None:
    for name, warnings in _warnings(found).items():
        for warning in warnings:
            console().print(Text.assemble(("warning ", "yellow"), f"{name}: {warning}"))


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
    _show_warnings(found)


def _show_tried(tried: dict[str, list[TriedExample]], failed: int) -> None:
    screen = console()
    for name, ones in tried.items():
        rows: list[list[str | Text]] = [[one.name, _verdict(one), "\n".join(_differences(one))] for one in ones]
        screen.print(table(name, ["example", "", "expected → found"], rows))
    total = sum(map(len, tried.values()))
    screen.print(f"{total - failed} of {total} examples hold", markup=False)


def _verdict(one: TriedExample) -> Text:
    return Text("ok", style="green") if one.holds else Text("failed", style="bold red")


def _differences(one: TriedExample) -> list[str]:
    notes = [one.note] if one.note else []
    if one.holds:
        return notes
    # An outcome of another kind is best described in words; it differs as a whole.
    whole = not one.places or any(place.path == "the result" for place in one.places)
    return [*([one.mismatch] if whole else map(_told, one.places)), *notes]


def _told(place: Difference) -> str:
    sides = ["nothing" if side is MISSING else brief(side, 80) for side in (place.before, place.after)]
    return f"{place.path}: {sides[0]} → {sides[1]}"

"""This module is the commands `routes diff`, `pull` and `push`: routes beside the AWS Schema Registry."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from clients.aws.answers import AWS_ERRORS, AwsConfigurationError, reason
from clients.aws.client import open_client
from clients.aws.schema_registry import read_schema, write_schema
from processors.routes.authoring.catalogue import messages
from processors.routes.authoring.registry_schema import SchemaName, mapped_event_schema
from processors.routes.differences import Difference, differences
from settings import Settings, load_settings
from streams.commands.routes.listing import folder_of
from streams.commands.terminal.options import EXIT_DIFFERS, folder_option, refuse
from streams.commands.terminal.screen import brief, console, print_json, sides
from streams.routes.folder import registry_name, route_folders
from streams.routes.load import compiled_routes
from streams.routes.schema_store import SchemaStore

EXITS = "Exit codes: 0 fine, 2 refused: a route is wrong, or AWS does not do it (one line says why)."


@dataclass(frozen=True, slots=True)
class Drift:
    """What the newest version of a schema says otherwise than the one that a route has."""

    route: str
    name: SchemaName
    newest: str
    places: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        places = [place.as_json() for place in self.places]
        return {"route": self.route, "schema": str(self.name), "newest": self.newest, "differences": places}


@click.command(
    epilog="\b\nExit codes: 0 the newest versions say the same, 4 they differ, 2 refused (one line says why)."
)
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array on stdout.")
@click.pass_context
def diff(context: click.Context, routes_dir: Path | None, as_json: bool) -> None:
    """Show what the newest schemas of the registry say otherwise than those that the routes have pinned."""
    settings = load_settings()
    folder = folder_of(context, settings, routes_dir)
    named = _named(folder)
    drifts = _asked(settings, lambda client: _drifts(SchemaStore(settings, folder), named, settings, client))
    if as_json or context.obj[1]:
        print_json([one.as_json() for one in drifts])
    else:
        _show(drifts)
    sys.exit(EXIT_DIFFERS if any(one.places for one in drifts) else 0)


@click.command(epilog=f"\b\n{EXITS}")
@folder_option
@click.pass_context
def pull(context: click.Context, routes_dir: Path | None) -> None:
    """Put the schemas that the routes name beside them, in .registry/, so that a start needs no registry.

    A pinned version is fetched as it is; of a schema that is not pinned the newest, with the line that pins it.
    """
    settings = load_settings()
    folder = folder_of(context, settings, routes_dir)
    store, named = SchemaStore(settings, folder), _named(folder)

    async def fetched(client: Any) -> None:
        for route, name in named:
            schema = await read_schema(client, name)
            mapped_event_schema(str(name), schema.content)
            print(f"{route}: {name} → {store.pull(name, schema)}")
            if name.version is None:
                pinned = replace(name, version=schema.version)
                print(f'  not pinned; in {route}/route.toml write: schema = "{pinned}"')

    _asked(settings, fetched)


@click.command(epilog=f"\b\n{EXITS}")
@click.argument("registry")
@click.argument("names", nargs=-1, metavar="[ROUTE]...")
@folder_option
@click.pass_context
def push(context: click.Context, registry: str, names: tuple[str, ...], routes_dir: Path | None) -> None:
    """Write what routes put on the bus to a schema registry, as SOURCE@DETAIL-TYPE, for consumers to find.

    Routes whose schema comes from a registry are left out. What is the newest version already makes none.
    """
    settings = load_settings()
    found, _ = messages(asyncio.run(compiled_routes(settings, folder_of(context, settings, routes_dir))))
    if unknown := set(names) - {one.route.name for one in found}:
        refuse(f"no route {', '.join(sorted(unknown))} shows what it puts on the bus")

    async def written(client: Any) -> None:
        for one in found:
            if one.route.texts.schema_origin.startswith("registry ") or (names and one.route.name not in names):
                continue
            for source, detail_type in one.kinds:
                name = SchemaName(registry, f"{source}@{detail_type}".replace(" ", "-"))
                print(f"{one.route.name}: {name}, version {await write_schema(client, name, one.schema)}")

    _asked(settings, written)


def _named(folder: Path) -> list[tuple[str, SchemaName]]:
    named = ((path.name, registry_name(path)) for path in route_folders(folder))
    found = [(route, name) for route, name in named if name is not None]
    if not found:
        refuse(f'no route of {folder} takes its schema from a registry: write schema = "REGISTRY:NAME@VERSION"')
    return found


async def _drifts(
    store: SchemaStore, named: list[tuple[str, SchemaName]], settings: Settings, client: Any
) -> list[Drift]:
    drifts = []
    for route, name in named:
        newest = await read_schema(client, replace(name, version=None))
        ours = (await store.contents([name], lambda: open_client(settings, "schemas")))[name]
        places = tuple(differences(ours, newest.content))
        drifts.append(Drift(route, name, newest.version, places))
    return drifts


def _asked(settings: Settings, work: Callable[[Any], Awaitable[Any]]) -> Any:
    """Do it with a client of the registry; what AWS does not do is one line and exit code 2."""

    async def asked() -> Any:
        async with open_client(settings, "schemas") as client:
            return await work(client)

    try:
        return asyncio.run(asked())
    except AwsConfigurationError as error:
        refuse(error)
    except AWS_ERRORS as error:
        refuse(
            f"the schema registry: {reason(error)} (fix the right to it, AWS_REGION, the network or AWS_ENDPOINT_URL)"
        )
    except OSError as error:
        refuse(f"{error.filename} cannot be written: {error.strerror}")


def _show(drifts: list[Drift]) -> None:
    for one in drifts:
        same = f"{one.route}: {one.name} says what version {one.newest}, the newest, does"
        console().print(Text(same if not one.places else f"{one.route}: {one.name}, newest is {one.newest}"))
        for place in one.places:
            console().print(Text(f"  {place.path}: {' → '.join(sides(place, partial(brief, most=80)))}"))

"""This module loads a folder of routes: tried in a process of their own for workers, compiled here for the desk."""

from __future__ import annotations

from pathlib import Path

from clients.aws.answers import CLIENT_ERRORS, reason
from clients.aws.client import open_client
from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject
from processors.routes.authoring.registry_schema import SchemaName, mapped_event_schema
from processors.routes.route import Route, compile_route
from settings import Settings
from streams.routes.folder import of_each, read_route, registry_name, registry_names, route_folders
from streams.routes.schema_store import SchemaStore


async def compiled_routes(settings: Settings, folder: Path | None = None) -> tuple[Route, ...]:
    """Every route of `folder` (by default of the settings), in name order, though examples of it fail.

    AWS is asked only when a route's schema is in the registry. Raises RouteError.
    """
    folder = folder or settings.routes_dir
    schemas = await schemas_of(settings, folder)
    return tuple(of_each(folder, lambda path: compile_route(read_route(path, schemas))))


async def each_route(settings: Settings, folder: Path) -> dict[str, Route | RouteError]:
    """Every route of a folder, or what is wrong with it. Raises RouteError where there is none at all."""
    found: dict[str, Route | RouteError] = {}
    for path in route_folders(folder):
        try:
            name = registry_name(path)
            schemas = await _schemas(settings, [str(name)], folder) if name else {}
            found[path.name] = compile_route(read_route(path, schemas))
        except RouteError as error:
            found[path.name] = error
    return found


async def schemas_of(settings: Settings, folder: Path) -> dict[str, JsonObject]:
    """The registry's schemas that the routes of a folder want, by name. Raises RouteError."""
    return await _schemas(settings, wanted_schemas(folder), folder)


async def _schemas(settings: Settings, names: list[str], folder: Path) -> dict[str, JsonObject]:
    try:
        return await registry_schemas(settings, names, folder)
    except CLIENT_ERRORS as error:
        raise RouteError(f"schema registry ({', '.join(names)}): {reason(error)}") from None


def wanted_schemas(folder: Path) -> list[str]:
    """The names of the registry's schemas that the folder's routes want."""
    return registry_names(folder) if folder.is_dir() else []


async def registry_schemas(settings: Settings, names: list[str], folder: Path) -> dict[str, JsonObject]:
    """Schemas of the registry by name; raises what AWS's SDK does. What is on disk is not asked for."""
    if not names:
        return {}
    store = SchemaStore(settings, folder)
    wanted = [SchemaName.parse(name) for name in names]
    found = await store.contents(wanted, lambda: open_client(settings, "schemas"))
    return {str(name): mapped_event_schema(str(name), content) for name, content in found.items()}

"""This module loads a folder of routes: tried in a process of their own for workers, compiled here for the desk."""

from __future__ import annotations

from pathlib import Path

from clients.aws.answers import AWS_ERRORS, reason
from clients.aws.client import AwsConfigurationError, open_client
from clients.aws.schema_registry import fetch_schemas
from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject
from processors.routes.route import Route, compile_route
from settings import Settings
from streams.routes.folder import read_routes, registry_names


async def compiled_routes(settings: Settings, folder: Path | None = None) -> tuple[Route, ...]:
    """Every route of `folder` (by default of the settings), in name order, though examples of it fail.

    AWS is asked only when a route's schema is in the registry. Raises RouteError.
    """
    folder = folder or settings.routes_dir
    names = wanted_schemas(folder)
    try:
        schemas = await registry_schemas(settings, names)
    except AwsConfigurationError as error:
        raise RouteError(f"schema registry ({', '.join(names)}): {error}") from None
    except AWS_ERRORS as error:
        raise RouteError(f"schema registry ({', '.join(names)}): {reason(error)}") from None
    return tuple(compile_route(texts) for texts in read_routes(folder, schemas))


def wanted_schemas(folder: Path) -> list[str]:
    """The names of the registry's schemas that the folder's routes want."""
    return registry_names(folder) if folder.is_dir() else []


async def registry_schemas(settings: Settings, names: list[str]) -> dict[str, JsonObject]:
    """Schemas of the registry by name; raises what AWS's SDK does. Without names nobody is asked."""
    if not names:
        return {}
    async with open_client(settings, "schemas") as client:
        return await fetch_schemas(client, names)

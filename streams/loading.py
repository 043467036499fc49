"""This module compiles a folder of routes for the commands, which examples that fail do not stop."""

from __future__ import annotations

from pathlib import Path

from clients.aws import AWS_ERRORS, AwsConfigurationError, error_code, open_client
from clients.schema_registry import fetch_schemas
from processors.errors import RouteError
from processors.event import JsonObject
from processors.route import Route, compile_route
from streams.routes import read_routes, registry_names
from streams.settings import Settings


async def compiled_routes(settings: Settings, folder: Path | None = None) -> tuple[Route, ...]:
    """Every route of `folder` (by default of the settings), in name order.

    AWS is asked only when a route's schema is in the registry. Raises RouteError.
    """
    folder = folder or settings.routes_dir
    names = registry_names(folder) if folder.is_dir() else []
    return tuple(compile_route(texts) for texts in read_routes(folder, await _registry(settings, names)))


async def _registry(settings: Settings, names: list[str]) -> dict[str, JsonObject]:
    if not names:
        return {}
    try:
        async with open_client(settings, "schemas") as client:
            return await fetch_schemas(client, names)
    except AwsConfigurationError as error:
        raise RouteError(f"schema registry ({', '.join(names)}): {error}") from None
    except AWS_ERRORS as error:
        raise RouteError(f"schema registry ({', '.join(names)}): AWS answered {error_code(error)}") from None

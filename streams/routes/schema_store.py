"""This module keeps registry schemas on disk, so that a worker starts when the registry cannot be reached.

A pinned version never changes: it is read from `ROUTES_DIR/.registry/`, where `routes pull` puts it beside the routes,
or from DATA_DIR, and the registry is asked only when it is in neither. Of one that is not pinned the newest is asked
for each time; where nobody answers, the one last seen is as good as it gets.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import orjson
import structlog

from clients.aws.answers import CLIENT_ERRORS, reason
from clients.aws.schema_registry import RegistrySchema, read_schema
from processors.routes.authoring.registry_schema import SchemaName
from settings import Settings

log = structlog.get_logger(__name__)

#: Where `routes pull` keeps schemas, in the folder of routes; routes themselves are in no hidden folder.
FOLDER = ".registry"

OpenRegistry = Callable[[], AbstractAsyncContextManager[Any]]


class SchemaStore:
    """Schemas on disk. `routes`: the folder of routes."""

    def __init__(self, settings: Settings, routes: Path) -> None:
        self.beside_routes = routes / FOLDER
        self._seen = settings.data_dir.expanduser() / settings.group / "schemas"

    async def contents(self, names: list[SchemaName], registry: OpenRegistry) -> dict[SchemaName, Any]:
        """What the names mean. Raises RouteError, and what asking the registry does where nothing is on disk."""
        found = {name: self._pinned(name) for name in names if name.version}
        wanted = [name for name in names if found.get(name) is None]
        if not wanted:
            return found
        try:
            async with registry() as client:
                for name in wanted:
                    schema = await read_schema(client, name)
                    self._note(name, schema)
                    found[name] = schema.content
        except CLIENT_ERRORS as error:
            for name in wanted:
                found[name] = _read(_file(self._seen, name))
            if any(found[name] is None for name in wanted):
                raise
            log.warning("schemas as last seen", schemas=[str(name) for name in wanted], reason=reason(error))
        return found

    def pull(self, name: SchemaName, schema: RegistrySchema) -> Path:
        """Keep a version beside the routes. Raises OSError."""
        path = _file(self.beside_routes, SchemaName(name.registry, name.name, schema.version))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(schema.content, option=orjson.OPT_INDENT_2) + b"\n")
        return path

    def _pinned(self, name: SchemaName) -> Any:
        beside = _read(_file(self.beside_routes, name))
        return _read(_file(self._seen, name)) if beside is None else beside

    def _note(self, name: SchemaName, schema: RegistrySchema) -> None:
        """Keep what was seen; a disk that takes nothing is told of, and no reason not to start."""
        path = _file(self._seen, name)
        written = path.with_suffix(".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(orjson.dumps(schema.content))
            written.replace(path)
        except OSError as error:
            log.warning("schema not kept", schema=str(name), reason=error.strerror)


def _file(folder: Path, name: SchemaName) -> Path:
    """Names hold nothing that a path could not (`SchemaName.parse`)."""
    return folder / name.registry / (f"{name.name}@{name.version}.json" if name.version else f"{name.name}.json")


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None

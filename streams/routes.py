"""This module reads the folder of routes; processors/route.py makes routes of what it reads."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from processors.errors import RouteError
from processors.event import JsonObject
from processors.route import Example, Route, Routes, RouteTexts, compile_route, failing_examples

#: Schemas pulled from a registry, by `registry/schema`.
RegistrySchemas = Mapping[str, JsonObject]


def load_routes(folder: Path, registry_schemas: RegistrySchemas | None = None) -> Routes:
    """Read, compile and try every route of the folder.

    Raises RouteError when there is none, when one is wrong, or when an example of one does not hold.
    """
    return Routes([_tried(compile_route(texts)) for texts in read_routes(folder, registry_schemas)])


def read_routes(folder: Path, registry_schemas: RegistrySchemas | None = None) -> list[RouteTexts]:
    """Read every route folder, in name order, compiling nothing. Raises RouteError."""
    if not folder.is_dir():
        raise RouteError(f"ROUTES_DIR {folder} is not a folder")
    folders = [path for path in sorted(folder.iterdir()) if (path / "route.toml").is_file()]
    if not folders:
        raise RouteError(f"ROUTES_DIR {folder} holds no route: a route is a folder with a route.toml")
    return [_read_route(path, registry_schemas or {}) for path in folders]


def registry_names(folder: Path) -> list[str]:
    """The registry schemas that the routes ask for, as `registry/schema`. Raises RouteError."""
    origins = (_toml(path).get("schema", {}) for path in sorted(folder.glob("*/route.toml")))
    return sorted({f"{origin['registry']}/{origin['name']}" for origin in origins if "registry" in origin})


def _tried(route: Route) -> Route:
    failing = failing_examples(route)
    if failing:
        example, found = failing[0]
        raise RouteError(
            f"route {route.name}: example {example.name} does not hold: {found} "
            f"(mend the route or the example; `genesys-eventbridge routes test` shows all)"
        )
    return route


def _read_route(path: Path, registry_schemas: RegistrySchemas) -> RouteTexts:
    options = _toml(path / "route.toml")
    unknown = set(options) - {"description", "source", "detail-type", "event-bus", "schema"}
    if unknown:
        raise RouteError(f"{path.name}/route.toml: unknown key {', '.join(sorted(unknown))}")
    origin = options.get("schema", {})
    schema_origin, schema = _schema(path, origin, registry_schemas)
    return RouteTexts(
        name=path.name,
        description=str(options.get("description", "")),
        source=options.get("source"),
        detail_type=options.get("detail-type"),
        event_bus=options.get("event-bus"),
        schema_origin=schema_origin,
        filter=_text(path / "filter.jsonata"),
        mapping=_text(path / "mapping.jsonata"),
        schema=schema,
        examples=tuple(_examples(path / "examples")),
    )


def _schema(
    path: Path, origin: Mapping[str, Any], registry_schemas: RegistrySchemas
) -> tuple[str, JsonObject]:
    if "registry" in origin:
        name = f"{origin['registry']}/{origin.get('name', '')}"
        if name not in registry_schemas:
            raise RouteError(f"{path.name}/route.toml: the registry schema {name} was not found")
        return f"registry {name}", registry_schemas[name]
    file = path / str(origin.get("file", "schema.json"))
    schema = _json(file)
    if not isinstance(schema, dict):
        raise RouteError(f"{path.name}/{file.name}: a JSON Schema is an object")
    return file.name, schema


def _examples(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.json")):
        content = _json(path)
        where = f"{folder.parent.name}/examples/{path.name}"
        if not isinstance(content, dict) or set(content) != {"event", "expect"}:
            raise RouteError(f'{where}: an example is {{"event": {{…}}, "expect": …}}')
        if not isinstance(content["event"], dict):
            raise RouteError(f"{where}: the event is not a JSON object")
        yield Example(path.stem, content["event"], content["expect"])


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise RouteError(f"{path.parent.name}/{path.name}: not TOML: {error}") from None


def _json(path: Path) -> Any:
    try:
        return orjson.loads(_text(path))
    except orjson.JSONDecodeError as error:
        raise RouteError(f"{path.parent.name}/{path.name}: not JSON: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise RouteError(f"{path.parent.name}/{path.name} cannot be read: {reason}") from None

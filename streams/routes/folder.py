"""This module reads the folder of routes; processors/routes/route.py makes routes of what it reads."""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import orjson

from processors.event.errors import MalformedEventError, RouteError
from processors.event.strict_json import JsonObject, parse
from processors.routes.authoring.registry_schema import SchemaName
from processors.routes.examples import wrong_expectation
from processors.routes.route import Example, RouteTexts
from processors.routes.schema import schema_warnings
from processors.routes.schema_references import is_one_document
from processors.routes.target import read_offload, read_target

Made = TypeVar("Made")

#: Schemas of a registry, by `registry:schema` or `registry:schema@version`.
RegistrySchemas = Mapping[str, JsonObject]

#: Keys of a route.toml that hold text.
TEXTS = ("description", "source", "detail-type", "event-bus")


def read_routes(folder: Path, registry_schemas: RegistrySchemas | None = None) -> list[RouteTexts]:
    """Read every route folder, in name order, compiling nothing. Raises RouteError."""
    return of_each(folder, lambda path: read_route(path, registry_schemas or {}))


def of_each(folder: Path, make: Callable[[Path], Made]) -> list[Made]:
    """What is made of each route's folder, in name order. Raises one RouteError that names all that are wrong."""
    made, wrong = [], []
    for path in route_folders(folder):
        try:
            made.append(make(path))
        except RouteError as error:
            wrong.append(str(error))
    if wrong:
        raise RouteError("; ".join(wrong))
    return made


def route_folders(folder: Path) -> list[Path]:
    """The folder of each route, in name order. Raises RouteError where there is none."""
    if not folder.is_dir():
        raise RouteError(f"ROUTES_DIR {folder} is not a folder")
    folders = [path.parent for path in _files(folder)]
    if not folders:
        raise RouteError(f"ROUTES_DIR {folder} holds no route: a route is a folder with a route.toml")
    return folders


def registry_names(folder: Path) -> list[str]:
    """The registry schemas that the routes ask for, by their names; a route that is wrong is told by who reads it."""
    names = set()
    for path in _files(folder):
        with contextlib.suppress(RouteError):
            names.add(registry_name(path.parent))
    return sorted(str(name) for name in names if name is not None)


def schema_text(folder: Path, texts: RouteTexts) -> str:
    """The schema of a route as it is written; one of a registry, or whose file is another by now, written anew."""
    file = folder / texts.name / texts.schema_origin
    try:
        text = file.read_text("utf-8")
        if parse(text.encode()) == texts.schema:
            return text
    except (OSError, UnicodeDecodeError, MalformedEventError):
        pass  # written anew
    return orjson.dumps(texts.schema, option=orjson.OPT_INDENT_2).decode() + "\n"


def registry_name(path: Path) -> SchemaName | None:
    """The registry's schema that the route of a folder asks for. Raises RouteError."""
    file = path / "route.toml"
    origin = _origin(file, _toml(file))
    return origin if isinstance(origin, SchemaName) else None


def read_route(path: Path, registry_schemas: RegistrySchemas) -> RouteTexts:
    """Read the route of one folder, compiling nothing. Raises RouteError."""
    options = _toml(path / "route.toml")
    unknown = set(options) - {*TEXTS, "schema", "target", "offload"}
    if unknown:
        raise RouteError(f"{path.name}/route.toml: unknown key {', '.join(sorted(unknown))}")
    wrong = [name for name in TEXTS if not isinstance(options.get(name, ""), str)]
    if wrong:
        raise RouteError(f"{path.name}/route.toml: {', '.join(wrong)} must be text")
    try:
        target, offload = read_target(options), read_offload(options)
    except ValueError as error:
        raise RouteError(f"{path.name}/route.toml: {error}") from None
    examples = tuple(_examples(path / "examples"))
    schema_origin, schema = _schema(path, _origin(path / "route.toml", options), registry_schemas)
    return RouteTexts(
        name=path.name,
        description=options.get("description", ""),
        source=options.get("source"),
        detail_type=options.get("detail-type"),
        event_bus=options.get("event-bus"),
        schema_origin=schema_origin,
        filter=_text(path / "filter.jsonata"),
        mapping=_text(path / "mapping.jsonata"),
        schema=schema,
        examples=examples,
        warnings=(*_warnings(path, examples), *schema_warnings(schema)),
        documents=_documents(path) if not is_one_document(schema) else {},
        target=target,
        offload=offload,
    )


#: Files of a route, beside its schema and what that refers to.
FILES = ("route.toml", "filter.jsonata", "mapping.jsonata", "examples")


def _warnings(path: Path, examples: tuple[Example, ...]) -> Iterator[str]:
    if not examples:
        yield "it has no example: add examples/*.json, or nobody sees what it makes of an event"
    unread = [one.name for one in sorted(path.iterdir()) if one.name not in FILES and not _may_be_meant(one)]
    unread += [f"examples/{one.name}" for one in sorted((path / "examples").glob("*")) if one.suffix != ".json"]
    if unread:
        yield f"nothing reads {', '.join(unread)}"


def _documents(path: Path) -> dict[str, Any]:
    """The JSON files of a route's folder but for its examples, by their names from there on."""
    files = (one for one in sorted(path.rglob("*.json")) if one.relative_to(path).parts[0] != "examples")
    return {one.relative_to(path).as_posix(): _json(one) for one in files}


def _may_be_meant(path: Path) -> bool:
    """A schema, or something for people."""
    return path.suffix in (".json", ".md", ".txt") or path.name.startswith(".")


def _origin(file: Path, options: Mapping[str, Any]) -> SchemaName | str:
    """Where the schema is: in the registry, or in a file of the route's folder."""
    origin, where = options.get("schema", {}), f"{file.parent.name}/{file.name}: schema"
    named = _of_table(origin, where) if isinstance(origin, dict) else str(origin)
    if isinstance(named, tuple):
        return named[0]
    try:
        return SchemaName.parse(named)
    except ValueError as error:
        raise RouteError(f"{where}: {error}; a file is named by [schema] file") from None


def _of_table(origin: dict[str, Any], where: str) -> tuple[str] | str:
    """The name of a file, alone, or the text of a registry's schema."""
    texts = {name: str(value) if name == "version" else value for name, value in origin.items()}
    if not all(isinstance(value, str) and value for value in texts.values()):
        raise RouteError(f"{where} is a table of texts")
    if set(texts) in (set(), {"file"}):
        return (texts.get("file", "schema.json"),)
    if not {"registry", "name"} <= set(texts) <= {"registry", "name", "version"}:
        told = ", ".join(sorted(texts))
        raise RouteError(f"{where} has either file, or registry and name, and perhaps version (here: {told})")
    return f"{texts['registry']}:{texts['name']}" + (f"@{texts['version']}" if "version" in texts else "")


def _schema(path: Path, origin: SchemaName | str, registry_schemas: RegistrySchemas) -> tuple[str, JsonObject]:
    if isinstance(origin, SchemaName):
        if str(origin) not in registry_schemas:
            raise RouteError(f"{path.name}/route.toml: the registry schema {origin} was not found")
        return f"registry {origin}", registry_schemas[str(origin)]
    file = path / origin
    schema = _json(file)
    if not isinstance(schema, dict):
        raise RouteError(f"{path.name}/{file.name}: a JSON Schema is an object")
    return file.name, schema


def _examples(folder: Path) -> Iterator[Example]:
    for path in sorted(folder.glob("*.json")):
        content = _json(path)
        where = _name_of(path)
        if not isinstance(content, dict) or set(content) != {"event", "expect"}:
            raise RouteError(f'{where}: an example is {{"event": {{…}}, "expect": …}}')
        if not isinstance(content["event"], dict):
            raise RouteError(f"{where}: the event is not a JSON object")
        if wrong := wrong_expectation(content["expect"]):
            raise RouteError(f"{where}: {wrong}")
        yield Example(path.stem, content["event"], content["expect"])


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise RouteError(f"{_name_of(path)}: not TOML: {error}") from None


def _json(path: Path) -> Any:
    try:
        return parse(_text(path).encode())
    except MalformedEventError as error:
        raise RouteError(f"{_name_of(path)}: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")  # some editors put a mark before it
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise RouteError(f"{_name_of(path)} cannot be read: {reason}") from None


def _name_of(path: Path) -> str:
    """A file of a route, from the route's folder on."""
    route = path.parents[1] if path.parent.name == "examples" else path.parent
    return f"{route.name}/{path.relative_to(route)}"


def _files(folder: Path) -> list[Path]:
    """The route.toml of each route, in name order; hidden folders are what editors and mounts leave behind."""
    return [path for path in sorted(folder.glob("*/route.toml")) if not path.parent.name.startswith(".")]

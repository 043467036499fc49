"""This module reads and writes schemas of the AWS Schema Registry, version by version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject
from processors.routes.authoring.registry_schema import SchemaName


@dataclass(frozen=True, slots=True)
class RegistrySchema:
    """One version of a schema as the registry has it."""

    version: str
    content: Any


async def read_schema(client: Any, name: SchemaName) -> RegistrySchema:
    """The version that the name pins, or else the newest. Raises RouteError where there is none, AWS_ERRORS."""
    version = {"SchemaVersion": name.version} if name.version else {}
    try:
        answer = await client.describe_schema(RegistryName=name.registry, SchemaName=name.name, **version)
    except client.exceptions.NotFoundException:
        which = f"schema {name.name}" + (f" version {name.version}" if name.version else "")
        raise RouteError(f"schema registry {name.registry} has no {which}: fix the route's schema") from None
    try:
        return RegistrySchema(str(answer["SchemaVersion"]), orjson.loads(answer["Content"]))
    except (KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise RouteError(f"registry schema {name} cannot be read: {error!r}") from None


async def write_schema(client: Any, name: SchemaName, content: JsonObject) -> str:
    """Add a version, or make the schema; gives the number. Raises AWS_ERRORS, RouteError where there is no registry."""
    what = {"RegistryName": name.registry, "SchemaName": name.name, "Type": "JSONSchemaDraft4"}
    text = orjson.dumps(content, option=orjson.OPT_SORT_KEYS).decode()
    try:
        answer = await client.update_schema(**what, Content=text)
    except client.exceptions.NotFoundException:
        try:
            answer = await client.create_schema(**what, Content=text)
        except client.exceptions.NotFoundException:
            raise RouteError(f"there is no schema registry {name.registry}: create it first") from None
    return str(answer["SchemaVersion"])

"""This module pulls schemas from the AWS Schema Registry and makes JSON Schemas of mapped events of them.

A registry schema describes the delivered envelope, of which only `detail` is ours before PutEvents; so the
schema given back demands an object whose `detail` is valid. OpenAPI 3 is read as draft 4 of JSON Schema,
which it was made from (its `exclusiveMinimum` is a boolean), with `nullable` turned into a null type.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_NOT_JSON_SCHEMA = ("example", "discriminator", "xml", "externalDocs")

#: Keywords whose value maps names of the author's choice to schemas.
_NAMED = ("properties", "patternProperties", "definitions", "schemas")

#: Keywords whose value is data, not a schema.
_DATA = ("enum", "default", "const")


async def fetch_schemas(client: Any, names: Iterable[str]) -> dict[str, JsonObject]:
    """Fetch schemas named `registry/schema`; gives JSON Schemas by that name.

    Raises RouteError for one that is missing or not understood, botocore's errors when AWS does not answer.
    """
    return {name: await _fetch(client, name) for name in names}


async def _fetch(client: Any, name: str) -> JsonObject:
    registry, _, schema = name.partition("/")
    try:
        answer = await client.describe_schema(RegistryName=registry, SchemaName=schema)
    except client.exceptions.NotFoundException:
        raise RouteError(f"schema registry {registry} has no schema {schema}: fix the route's [schema]") from None
    try:
        return mapped_event_schema(orjson.loads(answer["Content"]))
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise RouteError(f"registry schema {name} is not one of an EventBridge event: {error!r}") from None


def mapped_event_schema(content: JsonObject) -> JsonObject:
    """JSON Schema of a mapped event from a registry's OpenApi3 or JSONSchemaDraft4 content.

    Raises KeyError, TypeError or AttributeError when it describes no event with a `detail`.
    """
    if "components" in content:
        event, kept = content["components"]["schemas"]["AWSEvent"], {"components": content["components"]}
    else:
        event, kept = content, {"definitions": content.get("definitions", {})}
    detail = event["properties"]["detail"]
    return {
        "$schema": _DRAFT_4,
        "type": "object",
        "required": ["source", "detail-type", "detail"],
        "properties": {"detail": _normalise(detail)},
        **{name: _member(name, value) for name, value in kept.items()},
    }


def _normalise(node: Any) -> Any:
    if isinstance(node, list):
        return [_normalise(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {name: _member(name, value) for name, value in node.items() if name not in _NOT_JSON_SCHEMA}
    if result.pop("nullable", None) is True:
        if isinstance(result.get("type"), str):
            result["type"] = [result["type"], "null"]
        if isinstance(result.get("enum"), list):
            result["enum"] = [*result["enum"], None]
    return result


def _member(name: str, value: Any) -> Any:
    if name in _DATA:
        return value
    if name in _NAMED and isinstance(value, dict):
        return {each: _normalise(schema) for each, schema in value.items()}
    return _normalise(value)

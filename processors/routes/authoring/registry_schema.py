"""This module is the AWS Schema Registry's form of a schema: of what is delivered, where ours are of mapped events.

Of what the registry has only `detail` is ours before PutEvents; so the schema made of it demands an object whose
`detail` is valid. OpenAPI 3 is read as draft 4 of JSON Schema, which it was made from (its `exclusiveMinimum` is a
boolean), with `nullable` turned into a null type. The other way a schema of ours becomes draft 4 of what is delivered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_NOT_JSON_SCHEMA = ("example", "discriminator", "xml", "externalDocs")

#: Keywords whose value maps names of the author's choice to schemas.
_NAMED = ("properties", "patternProperties", "definitions", "schemas")

#: Keywords whose value is data, not a schema.
_DATA = ("enum", "default", "const")

#: What EventBridge adds to an entry when it delivers it.
ADDED = ("version", "account", "region")


@dataclass(frozen=True, slots=True)
class SchemaName:
    """A schema in a registry; without a version the newest. Its text is `registry:name` or `registry:name@7`."""

    registry: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.registry}:{self.name}" + (f"@{self.version}" if self.version else "")

    @classmethod
    def parse(cls, text: str) -> SchemaName:
        """Raises ValueError. A name may hold an `@` itself (`orders:genesys.cloud@Call@7`): a version is a number."""
        found = re.fullmatch(r"([\w.@-]+):([\w.@-]+?)(?:@(\d+))?", text, re.ASCII)
        if found is None or not found[1].strip(".") or not found[2].strip("."):
            raise ValueError('a registry schema is written "REGISTRY:NAME", or "REGISTRY:NAME@VERSION" to pin it')
        return cls(*found.groups())


def mapped_event_schema(name: str, content: Any) -> JsonObject:
    """JSON Schema of a mapped event from a registry's OpenApi3 or JSONSchemaDraft4 content. Raises RouteError."""
    try:
        return _mapped_event_schema(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise RouteError(f"registry schema {name} is not one of an EventBridge event: {error!r}") from None


def _mapped_event_schema(content: JsonObject) -> JsonObject:
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


def delivered_event_schema(schema: JsonObject, source: str, detail_type: str) -> JsonObject:
    """The registry's JSONSchemaDraft4 of what a rule's target gets, from the schema of the mapped event."""
    texts = {name: {"type": "string"} for name in (*ADDED, "id", "source", "detail-type")}
    inner = _as_draft_4({name: value for name, value in schema.items() if name != "$id"})
    properties = {**texts, **(inner.get("properties") or {})}
    return {
        **inner,
        "$schema": _DRAFT_4,
        "title": schema.get("title", detail_type),
        "type": "object",
        "x-amazon-events-source": source,
        "x-amazon-events-detail-type": detail_type,
        "required": [*dict.fromkeys([*(inner.get("required") or ()), "source", "detail-type", "detail", *ADDED])],
        "properties": {**properties, "detail": properties.get("detail", {"type": "object"})},
    }


def _as_draft_4(node: Any) -> Any:
    """What draft 4 has other words for. A bare `true` or `false` for a schema becomes one."""
    if isinstance(node, list):
        return [_as_draft_4(item) for item in node]
    if not isinstance(node, dict):
        return node
    result: JsonObject = {}
    for name, value in node.items():
        if name == "const":
            result["enum"] = [value]
        elif name in ("exclusiveMinimum", "exclusiveMaximum") and not isinstance(value, bool):
            bound = name.removeprefix("exclusive").lower()
            result |= {bound: value, name: True}
        elif name in ("$defs", *_NAMED) and isinstance(value, dict):
            key = "definitions" if name == "$defs" else name
            result[key] = {each: _as_schema(one) for each, one in value.items()}
        elif name == "$ref" and isinstance(value, str):
            result[name] = value.replace("#/$defs/", "#/definitions/", 1)
        elif name not in ("examples", "$comment"):
            result[name] = value if name in _DATA else _as_draft_4(value)
    return result


def _as_schema(value: Any) -> Any:
    return ({} if value else {"not": {}}) if isinstance(value, bool) else _as_draft_4(value)

"""This module resolves what a schema refers to, at the start and among the files of its route alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

from jsonschema.exceptions import SchemaError
from jsonschema_specifications import REGISTRY as SPECIFICATIONS
from referencing import Registry, Resource, Specification
from referencing.exceptions import Unresolvable

from processors.event.errors import RouteError
from processors.event.strict_json import JsonObject

#: Keywords whose values are no schemas, whatever they look like; and those whose values have names of fields.
VALUES = ("enum", "const", "default", "examples", "example")
FIELDS = ("properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies")

#: Keywords whose schemas are of the same value as the schema that has them; of the last two, those of properties.
_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies")

_REMEDY = "a $ref is a JSON pointer into this schema, the $id of a part of it, or a JSON file of the route's folder"


def registry_of(schema: JsonObject, documents: Mapping[str, Any], specification: Specification[Any]) -> Registry[Any]:
    """What `schema` can refer to: `documents` by their names beside it. Nothing is fetched."""
    base = schema.get("$id", schema.get("id", ""))
    found: Registry[Any] = SPECIFICATIONS  # it fetches nothing
    for name, document in documents.items():
        resource = Resource.from_contents(document, default_specification=specification)
        found = found.with_resource(name, resource)
        if isinstance(base, str) and base:
            found = found.with_resource(urljoin(base, name), resource)
    return found


def check_references(
    name: str,
    schema: JsonObject,
    registry: Registry[Any],
    specification: Specification[Any],
    check_schema: Callable[[Any], None],
) -> None:
    """Follow every reference, also those in files that are referred to, and check what they lead to.

    One that leads back to its own schema, for the same value, would be followed for ever. Raises RouteError with the
    pointer; `check_schema` raises SchemaError.
    """
    root = Resource.from_contents(schema, default_specification=specification)
    seen: set[int] = set()
    led: list[tuple[str, str, JsonObject]] = []
    leads_to: dict[int, list[Any]] = {}
    waiting = [(name, schema, registry.resolver_with_root(root))]
    while waiting:
        where, document, resolver = waiting.pop()
        for pointer, reference, holder, inner in _references(document, "", resolver, specification):
            try:
                found = inner.lookup(reference)
            except (Unresolvable, ValueError, AttributeError, TypeError):
                raise RouteError(f"{where}: {pointer}: {reference[:100]} leads nowhere: {_REMEDY}") from None
            led.append((f"{where}: {pointer}", reference, holder))
            leads_to.setdefault(id(holder), []).append(found.contents)
            if id(found.contents) not in seen:
                seen.add(id(found.contents))
                _check_led_to(f"{where}: {pointer}: {reference[:100]}", found.contents, check_schema)
                waiting.append((f"{where}: {pointer}", found.contents, found.resolver))
    for at, reference, holder in led:
        if _comes_back(holder, leads_to):
            raise RouteError(f"{at}: {reference[:100]} leads back to itself, for the same value: it has no end")


def _check_led_to(reference: str, schema: Any, check_schema: Callable[[Any], None]) -> None:
    try:
        check_schema(schema)
    except SchemaError as error:
        pointer = "".join(f"/{part}" for part in error.absolute_path)
        reason = (str(error).splitlines() or [""])[0][:200]
        raise RouteError(f"{reference} leads to what is no JSON Schema: {pointer or '/'}: {reason}") from None


def _comes_back(schema: JsonObject, leads_to: Mapping[int, list[Any]]) -> bool:
    """Whether a schema is met again on the way through those that are of the same value."""
    known: set[int] = set()
    waiting = [*_in_place(schema, leads_to)]
    while waiting:
        one = waiting.pop()
        if one is schema:
            return True
        if isinstance(one, dict) and id(one) not in known:
            known.add(id(one))
            waiting += _in_place(one, leads_to)
    return False


def _in_place(schema: JsonObject, leads_to: Mapping[int, list[Any]]) -> Iterator[Any]:
    yield from leads_to.get(id(schema), ())
    for keyword in _IN_PLACE:
        value = schema.get(keyword)
        if isinstance(value, dict) and keyword in _IN_PLACE[-2:]:
            yield from value.values()
        elif isinstance(value, list):
            yield from value
        else:
            yield value


def is_one_document(schema: Any) -> bool:
    """Whether a schema refers only to itself, by pointers; fastjsonschema would follow others in any value."""
    if isinstance(schema, dict):
        reference = schema.get("$ref", "#")
        local = not isinstance(reference, str) or reference == "#" or reference.startswith("#/")
        return local and all(map(is_one_document, schema.values())) and not any(map(_has_id, _parts(schema)))
    return all(map(is_one_document, schema)) if isinstance(schema, list) else True


def _has_id(schema: JsonObject) -> bool:
    return any(isinstance(schema.get(keyword), str) for keyword in ("$id", "id"))


def _parts(schema: JsonObject) -> Iterator[JsonObject]:
    for value in schema.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield one


def _references(
    value: Any, pointer: str, resolver: Any, specification: Specification[Any], *, has_fields: bool = False
) -> Iterator[Any]:
    """Each reference: its pointer, what it says, the schema that has it, and what resolves it.

    `has_fields`: the names in the value are those of fields, whatever keyword they look like.
    """
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _references(item, f"{pointer}/{index}", resolver, specification)
    if not isinstance(value, dict):
        return
    if not has_fields and pointer and isinstance(value.get("$id"), str):
        resolver = resolver.in_subresource(Resource.from_contents(value, default_specification=specification))
    for keyword in ("$ref", "$dynamicRef"):
        if not has_fields and isinstance(value.get(keyword), str):
            yield f"{pointer}/{keyword}", value[keyword], value, resolver
    for name, item in value.items():
        if has_fields or name not in VALUES:
            inner = f"{pointer}/{escaped(name)}"
            yield from _references(item, inner, resolver, specification, has_fields=not has_fields and name in FIELDS)


def escaped(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")

"""This module writes the files of a new route from one real event: a start that holds, and is to be worked on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from processors.event.identity import ANY_ID, RECEIVED_AT, conversation_id, identify
from processors.event.strict_json import JsonObject
from processors.routes.archive import file_json, toml
from processors.routes.outcome import Failed, Mapped
from processors.routes.route import RouteTexts, compile_route

#: A route's name: it names a folder, and stands in headers, metrics and logs.
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

#: Most fields of the event that the mapping names.
MAX_FIELDS = 30

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = ("and", "or", "in", "true", "false", "null", "function")


def route_files(name: str, event: JsonObject) -> dict[str, str]:
    """Path → text of each file. Raises ValueError for a name that is none, or an event that cannot be mapped so."""
    if not NAME.fullmatch(name):
        raise ValueError("a route's name is made of small letters, digits and hyphens")
    detail_type, body = name.replace("-", "."), identify(event).body
    texts = {
        "route.toml": toml(_description(body), "genesys.cloud", detail_type),
        "filter.jsonata": _filter(body) + "\n",
        "mapping.jsonata": _mapping(body),
    }
    mapped = _mapped(name, detail_type, event, texts)
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": detail_type,
        "type": "object",
        "required": ["source", "detail-type", "detail", "time", "resources", "id"],
        "properties": {
            "source": {"const": "genesys.cloud"},
            "detail-type": {"const": detail_type},
            "time": {"type": "string", "format": "date-time"},
            "resources": {"type": "array", "items": {"type": "string", "minLength": 1}},
            "id": {"type": "string", "format": "uuid"},
            "detail": {**_schema(mapped["detail"]), "required": ["eventId"]},
        },
    }
    expect = {name: value for name, value in mapped.items() if name != "time"}  # it may be that of the receipt
    example = {"event": event, "expect": expect}
    return texts | {"schema.json": file_json(schema).decode(), "examples/first.json": file_json(example).decode()}


def _mapped(name: str, detail_type: str, event: JsonObject, texts: dict[str, str]) -> JsonObject:
    files = texts["filter.jsonata"], texts["mapping.jsonata"]
    route = compile_route(RouteTexts(name, "", "genesys.cloud", detail_type, None, "schema.json", *files, {}, ()))
    outcome = route.apply(identify(event))
    if isinstance(outcome, Mapped):
        return outcome.entry
    raise ValueError(
        outcome.message if isinstance(outcome, Failed) else "the filter made of the event does not take it"
    )


def _description(event: JsonObject) -> str:
    what = event.get("topicName") or event.get("resourceType") or "events"
    return f"Of {ANY_ID.sub('ID', str(what))}"


def _filter(event: JsonObject) -> str:
    """What tells events of this kind: topic, or resource and event type, or the fields that it has."""
    topic = event.get("topicName")
    if isinstance(topic, str):
        return f"$match(topicName, /^{_topic_pattern(topic)}$/)"
    kinds = [name for name in ("resourceType", "eventType") if isinstance(event.get(name), str)]
    if kinds:
        return " and ".join(f"{name} = {json.dumps(event[name])}" for name in kinds)
    return " and ".join(f"$exists({_path([name])})" for name in list(event)[:3]) or "true"


def _topic_pattern(topic: str) -> str:
    """The topic with any id in place of each of its own."""
    parts = ("[^.]+" if ANY_ID.fullmatch(part) else re.escape(part) for part in topic.split("."))
    return r"\.".join(parts).replace("/", r"\/")


def _mapping(event: JsonObject) -> str:
    body = next((name for name in ("eventBody", "payload") if isinstance(event.get(name), dict)), None)
    found = _fields(event[body] if body else event, [body] if body else [])
    fields = {"sourceEventId" if name == "eventId" else name: path for name, path in found}  # eventId is ours
    lines = "".join(f",\n      {json.dumps(name)}: {path}" for name, path in fields.items())
    known = ("$merge([$conversation(), {", "}])") if conversation_id(event) else ("{", "}")
    return f"""(
  $eventTime := $eventTime();
  $received := $fromMillis($type({RECEIVED_AT}) = "number" ? {RECEIVED_AT} : $millis());
  {{
    "time": $eventTime != "" ? $eventTime : $received,
    "resources": [],
    "id": $eventId(),
    "detail": {known[0]}
      "eventId": $eventId(){lines}
    {known[1]}
  }}
)
"""


def _fields(body: JsonObject, above: list[str]) -> Iterator[tuple[str, str]]:
    """Names for the detail and where they come from: what is scalar, and of objects within what is."""
    found = 0
    for name, value in body.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for below, one in inner:
            if isinstance(one, dict | list) or one is None or name == RECEIVED_AT or found == MAX_FIELDS:
                continue
            found += 1
            label = name + (below[:1].upper() + below[1:] if below else "")
            yield label, _path([*above, name, *([below] if below else [])])


def _path(names: list[str]) -> str:
    plain = (name if _WORD.fullmatch(name) and name not in _RESERVED else f"`{name}`" for name in names)
    return ".".join(plain)


def _schema(value: Any) -> JsonObject:
    """The types of what the mapping made; nothing is demanded, as other events may lack it."""
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: _schema(one) for name, one in value.items()}}
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return {"type": kinds[type(value)]} if type(value) in kinds else {}
